"""Text streams from the room: transcripts of both sides, announced backchannels, and requested topics."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from livekit import rtc

from agent_worker.room.topics import BACKCHANNEL_TOPIC
from caller.clock import Clock
from caller.report import AgentTranscript, Backchannel, CallerTranscript, Interim, TopicText

_TOPIC = "lk.transcription"
_SEGMENT_ID = "lk.segment_id"
_FINAL = "lk.transcription_final"
_TRACK_ID = "lk.transcribed_track_id"

_Read = Callable[[rtc.TextStreamReader, str], Coroutine[Any, Any, None]]


class Transcripts:
    """Collects the text streams of a room.

    An agent sends a caller's transcript as one stream for each interim and one for the final, each with the whole
    text so far, and its own as one stream for each segment, which grows. So for both a stream's text replaces its
    segment's.
    """

    def __init__(self, room: rtc.Room, clock: Clock, topics: Sequence[str]) -> None:
        self.texts: list[TopicText] = []
        self.backchannels: list[Backchannel] = []
        self._room = room
        self._clock = clock
        self._agent: dict[str, AgentTranscript] = {}
        self._caller: dict[str, tuple[float, CallerTranscript]] = {}
        self._reading: set[asyncio.Task[None]] = set()
        self._topics = frozenset(topics)
        self._on(_TOPIC, self._read_transcript)
        self._on(BACKCHANNEL_TOPIC, self._read_backchannel)
        for topic in self._topics - {_TOPIC, BACKCHANNEL_TOPIC}:
            self._on(topic, self._read_topic)

    def of_agent(self, since: float) -> list[AgentTranscript]:
        """Return the agent's segments that began after `since`; they may still grow."""
        return [t for t in self._agent.values() if t.first_at >= since]

    def of_caller(self, since: float) -> list[CallerTranscript]:
        """Return the caller's segments that began after `since`."""
        return [t for first_at, t in self._caller.values() if first_at >= since]

    def _on(self, topic: str, read: _Read) -> None:
        def opened(reader: rtc.TextStreamReader, identity: str) -> None:
            task = asyncio.create_task(_ignore_disconnect(read(reader, identity)))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

        self._room.register_text_stream_handler(topic, opened)

    async def _read_transcript(self, reader: rtc.TextStreamReader, identity: str) -> None:
        attributes = reader.info.attributes or {}
        segment_id = attributes.get(_SEGMENT_ID) or reader.info.stream_id
        me = self._room.local_participant
        # An agent sends the caller's transcript in the caller's name; some send it in their own, with the track's id.
        if identity == me.identity or attributes.get(_TRACK_ID) in me.track_publications:
            await self._read_caller(reader, segment_id)
        else:
            await self._read_agent(reader, segment_id)

    async def _read_caller(self, reader: rtc.TextStreamReader, segment_id: str) -> None:
        text = await reader.read_all()
        at = self._clock.now()
        _, transcript = self._caller.setdefault(segment_id, (at, CallerTranscript(segment_id)))
        if (reader.info.attributes or {}).get(_FINAL) == "true":
            transcript.final, transcript.final_at = text, at
        else:
            transcript.interims.append(Interim(text, at))

    async def _read_agent(self, reader: rtc.TextStreamReader, segment_id: str) -> None:
        text = ""
        async for chunk in reader:
            text += chunk
            at = self._clock.now()
            transcript = self._agent.setdefault(segment_id, AgentTranscript(segment_id, text, at, at))
            transcript.text, transcript.last_at = text, at

    async def _read_backchannel(self, reader: rtc.TextStreamReader, identity: str) -> None:
        at = self._clock.now()
        text = await reader.read_all()
        if (backchannel := parse_backchannel(text, at)) is not None:
            self.backchannels.append(backchannel)
        if BACKCHANNEL_TOPIC in self._topics:
            self.texts.append(TopicText(BACKCHANNEL_TOPIC, text, self._clock.now()))

    async def _read_topic(self, reader: rtc.TextStreamReader, identity: str) -> None:
        text = await reader.read_all()
        self.texts.append(TopicText(reader.info.topic, text, self._clock.now()))


def parse_backchannel(text: str, at: float) -> Backchannel | None:
    """Return what is announced by a message that arrived at the instant `at`; None if it has another shape."""
    try:
        content = json.loads(text)
        return Backchannel(str(content["text"]), float(content["seconds"]), at)
    except (ValueError, TypeError, KeyError):  # another agent's topic of the same name
        return None


async def _ignore_disconnect(reading: Coroutine[Any, Any, None]) -> None:
    # A stream ends abnormally when its sender leaves; the text that arrived is kept.
    with contextlib.suppress(ConnectionError):
        await reading
