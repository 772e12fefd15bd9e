"""A caller who says nothing and notes when somebody is heard, and how many agents are in the room."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import numpy as np
from livekit import api, rtc

from agent_worker.room.topics import ANNOUNCER_ATTRIBUTE
from call_guard.line import IDENTITY
from testbed.services import API_KEY, API_SECRET

_FRAME_MS = 100
_SAMPLE_RATE_HZ = 8000
#: Louder than this is sound: 1 % of full scale.
_AUDIBLE = 328
_RETRY_S = 1.0
_AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


class Listener:
    """A caller.

    Attributes:
        room: Its name.
        joined_at: When the caller was in the room, seconds (monotonic).
        heard: Start of each audible frame of 100 ms, and whose it was.
        two_agents_s: How long there were two agents or more, seconds.
    """

    def __init__(self, room: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.room = room
        self.joined_at = 0.0
        self.heard: list[tuple[float, str]] = []
        self.two_agents_s = 0.0
        self._clock = clock
        self._two_since: float | None = None
        self._rtc = rtc.Room()
        self._reading: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._rtc.on("track_subscribed", self._on_track)
        for event in ("participant_connected", "participant_disconnected", "participant_attributes_changed"):
            self._rtc.on(event, self._on_change)

    @contextlib.asynccontextmanager
    async def joined(self, url: str, joining: asyncio.Semaphore | None = None) -> AsyncIterator[Listener]:
        """Be in the room.

        Args:
            url: Of the LiveKit server.
            joining: How many callers may join at the same moment: all of them share this machine.
        """
        grants = api.VideoGrants(room_join=True, room_create=True, room=self.room)
        token = api.AccessToken(API_KEY, API_SECRET).with_identity("caller").with_grants(grants).to_jwt()
        async with joining or contextlib.nullcontext():
            await self._connect(url, token)
            # LiveKit tells of participants without a track only every 3 s. Without a queue no silence is encoded.
            silence = rtc.AudioSource(_SAMPLE_RATE_HZ, 1, queue_size_ms=0)
            microphone = rtc.LocalAudioTrack.create_audio_track("microphone", silence)
            await self._rtc.local_participant.publish_track(microphone)
        self.joined_at = self._clock()
        self._on_change()
        try:
            yield self
        finally:
            self._on_change()
            await self._rtc.disconnect()

    async def _connect(self, url: str, token: str) -> None:
        """Connect; try again where the machine was too busy to answer in time, as a page does."""
        while True:
            try:
                return await self._rtc.connect(url, token)
            except rtc.ConnectError:
                await asyncio.sleep(_RETRY_S)

    @property
    def is_connected(self) -> bool:
        """Whether LiveKit's client has not given up."""
        return self._rtc.isconnected()

    @property
    def agents(self) -> list[str]:
        """Identities of the agents in the room; an announcer is none."""
        others = self._rtc.remote_participants.values()
        return [one.identity for one in others if one.kind == _AGENT and ANNOUNCER_ATTRIBUTE not in one.attributes]

    async def say(self, text: str) -> None:
        """Type a message."""
        await self._rtc.local_participant.send_text(text, topic="lk.chat")

    async def sound(self, after: float, *, of_agent: bool = False, but: str = "") -> float:
        """Wait for the first sound after an instant, and return when it began.

        Args:
            after: Seconds, monotonic.
            of_agent: Whether only an agent counts, and not an announcer.
            but: An identity that does not count.
        """
        while True:
            for start, who in self.heard:
                if start >= after and who != but and not (of_agent and who == IDENTITY):
                    return start
            self._changed.clear()
            await self._changed.wait()

    def _on_track(self, track: rtc.Track, _: rtc.RemoteTrackPublication, of: rtc.RemoteParticipant) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            task = asyncio.create_task(self._listen(track, of.identity))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _listen(self, track: rtc.Track, identity: str) -> None:
        stream = rtc.AudioStream(track, sample_rate=_SAMPLE_RATE_HZ, num_channels=1, frame_size_ms=_FRAME_MS)
        async for event in stream:
            if np.abs(np.frombuffer(event.frame.data, np.int16)).max(initial=0) > _AUDIBLE:
                self.heard.append((self._clock() - _FRAME_MS / 1000, identity))
                self._changed.set()
        await stream.aclose()

    def _on_change(self, *_: object) -> None:
        now = self._clock()
        if self._two_since is not None:
            self.two_agents_s += now - self._two_since
        self._two_since = now if len(self.agents) > 1 else None
