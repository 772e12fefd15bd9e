"""An announcer's connection to a LiveKit room."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta

from livekit import api, rtc

from agent_worker.core.language_tag import canonical_tag
from agent_worker.room.topics import ANNOUNCER_ATTRIBUTE, LANGUAGE_ATTRIBUTE, ROLE_ATTRIBUTE, SUPERVISOR_ROLE
from call_guard.announcer import Line
from call_guard.metrics import AnnouncementEnd
from call_guard.sentences import Audio
from call_guard.settings import GuardSettings

#: The same for each guard: LiveKit lets only one participant of an identity stay in a room.
IDENTITY = "announcer"
_FRAME_S = 0.1
_QUEUE_MS = 200
_TOKEN_LIFETIME = timedelta(minutes=5)  # to join
_CALLER_KINDS = {
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
}


class Dialer:
    """Joins rooms as their announcer.

    Args:
        settings: Address and credentials of the LiveKit server, and the agent's name.
    """

    def __init__(self, settings: GuardSettings) -> None:
        self._settings = settings

    @contextlib.asynccontextmanager
    async def __call__(self, name: str) -> AsyncIterator[Line]:
        """Join a room; leave it at the end."""
        room = rtc.Room()
        line = RoomLine(room, self._settings.agent_name)
        await room.connect(str(self._settings.livekit_url), self._token(name), rtc.RoomOptions(auto_subscribe=False))
        try:
            line.check()
            yield line
        finally:
            await room.disconnect()

    def _token(self, room: str) -> str:
        grants = api.VideoGrants(room_join=True, room=room, can_publish=True, can_publish_data=False)
        secret = self._settings.livekit_api_secret.get_secret_value()
        return (
            api.AccessToken(self._settings.livekit_api_key, secret)
            .with_identity(IDENTITY)
            .with_kind("agent")  # a room for one caller has a place for it, and no agent takes it for a caller
            .with_attributes({ANNOUNCER_ATTRIBUTE: "true"})
            .with_ttl(_TOKEN_LIFETIME)
            .with_grants(grants)
            .to_jwt()
        )


class RoomLine:
    """A connection to a room.

    Args:
        room: The room; it is connected afterwards.
        agent_name: Of the agents that serve callers.

    Attributes:
        over: Done when an agent of the name is there, no caller is, or the connection is lost.
    """

    def __init__(self, room: rtc.Room, agent_name: str) -> None:
        self.over: asyncio.Future[AnnouncementEnd] = asyncio.get_running_loop().create_future()
        self._room = room
        self._agent_name = agent_name
        self._sources: dict[int, rtc.AudioSource] = {}
        room.on("participant_connected", self.check)
        room.on("participant_disconnected", self.check)
        room.on("participant_attributes_changed", self.check)
        room.on("disconnected", lambda *_: self._end("disconnected"))

    @property
    def language(self) -> str:
        """The language of the first caller who has told one, or of the room; empty if it is not known."""
        told = [caller.attributes.get(LANGUAGE_ATTRIBUTE, "") for caller in self._callers()]
        with contextlib.suppress(ValueError, RecursionError):
            metadata = json.loads(self._room.metadata or "{}")
            told.append(str(metadata.get(LANGUAGE_ATTRIBUTE, "")) if isinstance(metadata, dict) else "")
        for tag in filter(None, told):
            with contextlib.suppress(ValueError):
                return canonical_tag(tag)
        return ""

    def check(self, *_: object) -> None:
        """Look whether anybody still waits."""
        if any(map(self._is_agent, self._room.remote_participants.values())):
            self._end("agent")
        elif not self._callers():
            self._end("no_caller")

    async def play(self, audio: Audio) -> None:
        """Return when the audio has been sent to its end. What is queued is dropped if it is cancelled."""
        source = await self._source(audio.sample_rate)
        step = int(audio.sample_rate * _FRAME_S) * 2
        try:
            for start in range(0, len(audio.samples), step):
                piece = audio.samples[start : start + step]
                await source.capture_frame(rtc.AudioFrame(piece, audio.sample_rate, 1, len(piece) // 2))
            await source.wait_for_playout()
        except asyncio.CancelledError:
            source.clear_queue()
            raise

    async def _source(self, sample_rate: int) -> rtc.AudioSource:
        if sample_rate not in self._sources:
            source = self._sources[sample_rate] = rtc.AudioSource(sample_rate, 1, _QUEUE_MS)
            track = rtc.LocalAudioTrack.create_audio_track("announcer", source)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            publication = await self._room.local_participant.publish_track(track, options)
            await publication.wait_for_subscription()
        return self._sources[sample_rate]

    def _callers(self) -> list[rtc.RemoteParticipant]:
        return list(filter(_is_caller, self._room.remote_participants.values()))

    def _is_agent(self, one: rtc.RemoteParticipant) -> bool:
        return (
            one.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
            and ANNOUNCER_ATTRIBUTE not in one.attributes
            and one.attributes.get("lk.agent.name", "") == self._agent_name
        )

    def _end(self, end: AnnouncementEnd) -> None:
        if not self.over.done():
            self.over.set_result(end)


def _is_caller(one: rtc.RemoteParticipant) -> bool:
    is_supervisor = one.attributes.get(ROLE_ATTRIBUTE) == SUPERVISOR_ROLE
    return one.kind in _CALLER_KINDS and not is_supervisor and not one.permissions.hidden
