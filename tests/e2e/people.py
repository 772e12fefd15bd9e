"""People in a room, on a telephone or not, who note what the agent says to them; and the worker that they call."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from livekit import api, rtc
from livekit.protocol.room import RoomConfiguration

from agent_worker.room.phone import CALL_STATUS_ATTRIBUTE
from agent_worker.room.topics import ROLE_ATTRIBUTE, SUPERVISOR_ROLE
from caller.audio import read_wav
from caller.clock import Clock
from caller.microphone import Microphone
from caller.options import KEYS
from testbed.processes import Child, poll
from testbed.services import API_KEY, API_SECRET, Ports
from tests.e2e.chat import ChatParticipant
from tests.e2e.metrics import scrape
from tests.waiting import until

_TRANSCRIPTS = "lk.transcription"
_PATIENCE_S = 10.0


class Person(ChatParticipant):
    """A participant who notes what the agent says.

    Attributes:
        said: What the agent has said to this person, sentence by sentence, each once it was over.
        has_left: Whether the room is closed, or this person has left it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.has_left = False
        self._listening: set[asyncio.Task[None]] = set()
        self.room.register_text_stream_handler(_TRANSCRIPTS, self._on_transcript)
        self.room.on("disconnected", self._on_disconnected)

    @property
    def identity(self) -> str:
        return self.room.local_participant.identity

    def heard(self, words: str) -> bool:
        """Whether the agent has said ``words``."""
        return words in " ".join(self.said)

    def agents(self) -> list[str]:
        """Return the identities of the agents in the room."""
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        return [one.identity for one in self.room.remote_participants.values() if one.kind == kind]

    def turns(self) -> list[dict[str, Any]]:
        """Return the records that have come and were not awaited: what the caller said in each turn."""
        records = []
        while not self.received.empty():
            records.append(self.received.get_nowait()[1])
        return [record for record in records if record.get("caller")]

    async def press(self, keys: str) -> None:
        """Press keys of the telephone."""
        for key in keys:
            await self.room.local_participant.publish_dtmf(code=KEYS.index(key), digit=key)

    @contextlib.asynccontextmanager
    async def microphone(self) -> AsyncIterator[Microphone]:
        """Publish a microphone."""
        microphone = Microphone(Clock())
        track = rtc.LocalAudioTrack.create_audio_track("microphone", microphone.source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        try:
            await self.room.local_participant.publish_track(track, options)
            yield microphone
        finally:
            await microphone.aclose()

    def _on_transcript(self, reader: rtc.TextStreamReader, sender: str) -> None:
        async def read() -> None:
            text = await reader.read_all()
            if sender in self.agents() or sender.startswith("agent-"):  # which may have left meanwhile
                self.said.append(text)

        task = asyncio.create_task(read())
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)

    def _on_disconnected(self, *_: object) -> None:
        self.has_left = True


async def speak(microphone: Microphone, wav: Path) -> None:
    """Say what is in a file."""
    await microphone.play(read_wav(wav))


async def speak_until_answered(person: Person, microphone: Microphone, wav: Path) -> None:
    """Say what is in a file, as often as it takes: the agent may miss the first words of who speaks after another."""
    while True:
        await speak(microphone, wav)
        with contextlib.suppress(asyncio.TimeoutError):
            return await asyncio.wait_for(until(person.turns), _PATIENCE_S)


@dataclass
class CalledWorker:
    """A worker with a name, whom people call.

    Attributes:
        ports: Its servers and its metrics.
        child: Its process.
        name: Its ``AGENT_NAME``.
    """

    ports: Ports
    child: Child
    name: str

    def livekit(self) -> api.LiveKitAPI:
        """Return a client of the server's API."""
        return api.LiveKitAPI(self.ports.livekit_url, API_KEY, API_SECRET)

    def token(self, room: str, identity: str, *, phone: str | None = None, supervisor: bool = False) -> str:
        """Return a token that requests the agent for a new room.

        Args:
            room: The room.
            identity: Of the person.
            phone: The call status of a telephone; None for somebody without one.
            supervisor: Whether the person is no caller.
        """
        dispatch = api.RoomAgentDispatch(agent_name=self.name)
        attributes = {ROLE_ATTRIBUTE: SUPERVISOR_ROLE} if supervisor else {}
        if phone:
            attributes[CALL_STATUS_ATTRIBUTE] = phone
        token = (
            api.AccessToken(API_KEY, API_SECRET)
            .with_identity(identity)
            .with_kind("sip" if phone else "standard")
            .with_attributes(attributes)
            .with_room_config(RoomConfiguration(agents=[dispatch]))
            .with_grants(api.VideoGrants(room_join=True, room_create=True, room=room))
        )
        return token.to_jwt()

    @contextlib.asynccontextmanager
    async def call(self, room: str, identity: str = "caller", **who: Any) -> AsyncIterator[Person]:
        """Join a room, as :meth:`token` says."""
        async with Person().joined_with(self.ports.livekit_url, self.token(room, identity, **who)) as person:
            assert isinstance(person, Person)
            yield person

    async def set_call_status(self, phone: Person, status: str) -> None:
        """Do what LiveKit's SIP server does when a telephone rings, is answered, and so on."""
        request = api.UpdateParticipantRequest(
            room=phone.room.name, identity=phone.identity, attributes={CALL_STATUS_ATTRIBUTE: status}
        )
        async with self.livekit() as livekit:
            await livekit.room.update_participant(request)
        await until(lambda: phone.room.local_participant.attributes.get(CALL_STATUS_ATTRIBUTE) == status)

    async def simulate(self, **models: Any) -> None:
        """Change what the simulated models do."""
        url = self.ports.models_url.removesuffix("/v1") + "/simulated/config"
        async with aiohttp.ClientSession(raise_for_status=True) as http, http.put(url, json=models):
            pass

    async def until_metric(self, name: str, value: float) -> None:
        """Wait until a metric has a value, at least."""

        async def has_value() -> bool:
            return (await scrape(self.ports)).get(name, 0) >= value

        await poll(has_value)

    async def until_idle(self) -> None:
        """Wait until no call is active."""

        async def is_idle() -> bool:
            return not (await scrape(self.ports)).get("livekit_active_conversations")

        await poll(is_idle)

    def kill_agent(self, identity: str) -> None:
        """Send SIGKILL to the process of a call, by the agent's identity in the room."""
        self._process_of(identity).kill()

    async def until_ended(self, identity: str) -> None:
        """Wait until the process of a call has ended, with all that it does after the call."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = self._process_of(identity)
            await until(lambda: not process.is_running())

    def _process_of(self, identity: str) -> psutil.Process:
        job = identity.removeprefix("agent-")
        entries = [json.loads(line) for line in self.child.output().splitlines() if line.startswith("{")]
        (pid,) = {entry["pid"] for entry in entries if entry.get("job_id") == job and "pid" in entry} - {self.child.pid}
        return psutil.Process(pid)
