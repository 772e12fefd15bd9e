"""An agent of which everything is known: it answers sound with a tone, a fixed time after the sound stops."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from livekit import api, rtc

from tests.caller.conftest import LiveKitServer, tone

RATE = 48_000
FRAME = RATE // 100
LOUD = 1000  # sample value: well above codec noise, well below the tones


@dataclass
class Peer:
    """Sends 10 ms frames without end; instants are `time.monotonic()`."""

    reply_after: float | None = 0.5
    """Seconds from the last loud sample heard to the first sample of the reply; None: never replies."""
    replies: Sequence[float] = (0.6,)
    """Lengths of tones, a pause of `pause` between them."""
    pause: float = 0.4
    greeting: float = 0.0
    states: bool = True
    transcripts: bool = False
    heard_end: list[float] = field(default_factory=list)
    reply_began: list[float] = field(default_factory=list)
    interrupted: int = 0

    def __post_init__(self) -> None:
        self.room = rtc.Room()
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=0)
        self._out: list[np.ndarray] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._loud_at = 0.0
        self._caller = ""
        self._number = 0

    @contextlib.asynccontextmanager
    async def joined(self, server: LiveKitServer, room: str) -> AsyncIterator["Peer"]:
        token = api.AccessToken(server.api_key, server.api_secret).with_identity("peer").with_kind("agent")
        grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True)
        self.room.on("track_subscribed", self._subscribed)
        await self.room.connect(server.url, token.with_grants(grants).to_jwt())
        track = rtc.LocalAudioTrack.create_audio_track("voice", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        await self._state("listening")
        self._tasks.append(asyncio.create_task(self._send()))
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.room.disconnect()
            await self._source.aclose()

    async def _state(self, state: str) -> None:
        if self.states:
            await self.room.local_participant.set_attributes({"lk.agent.state": state})

    def _subscribed(self, track: rtc.Track, _: object, participant: rtc.RemoteParticipant) -> None:
        self._caller = participant.identity
        self._tasks.append(asyncio.create_task(self._hear(track)))
        if self.greeting:
            self._say([self.greeting])

    def _say(self, tones: Sequence[float]) -> None:
        for i, seconds in enumerate(tones):
            silence = np.zeros(round(self.pause * RATE) if i else 0)
            sound = np.concatenate([silence, tone(seconds, hertz=600)])
            pcm = np.pad(sound, (0, -len(sound) % FRAME)) * 32767
            self._out += list(pcm.astype(np.int16).reshape(-1, FRAME))

    async def _send(self) -> None:
        due = time.monotonic()
        talking = False
        while True:
            if self.reply_after is not None and self._loud_at and not self._out:
                # Sleep to the exact instant: the reply begins between two ticks if it must.
                start = self._loud_at + self.reply_after
                if start <= due + FRAME / RATE:
                    await asyncio.sleep(max(start - time.monotonic(), 0))
                    due = time.monotonic()
                    self.heard_end.append(self._loud_at)
                    self.reply_began.append(due)
                    self._loud_at = 0.0
                    self._say(self.replies)
            if bool(self._out) != talking:
                talking = not talking
                task = asyncio.create_task(self._tell(talking))
                self._tasks.append(task)
            frame = self._out.pop(0) if self._out else np.zeros(FRAME, np.int16)
            await self._source.capture_frame(rtc.AudioFrame(frame.tobytes(), RATE, 1, FRAME))
            due += FRAME / RATE
            await asyncio.sleep(max(due - time.monotonic(), 0))

    async def _tell(self, talking: bool) -> None:
        await self._state("speaking" if talking else "listening")
        if talking and self.transcripts and self.reply_began:
            self._number += 1
            mine, me = f"SG_agent{self._number}", self.room.local_participant
            for text, final in (("hel", "false"), ("Hello.", "true")):
                attributes = {"lk.segment_id": f"SG_user{self._number}", "lk.transcription_final": final}
                writer = await me.stream_text(
                    topic="lk.transcription", sender_identity=self._caller, attributes=attributes
                )
                await writer.write(text)
                await writer.aclose()
            attributes = {"lk.segment_id": mine, "lk.transcription_final": "false"}
            writer = await me.stream_text(topic="lk.transcription", attributes=attributes)
            for word in ("Good ", "day."):
                await writer.write(word)
                await asyncio.sleep(0.1)
            await writer.aclose(attributes={"lk.transcription_final": "true"})
            await me.send_text("beside", topic="test.extra")

    async def _hear(self, track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=10):
            at = time.monotonic()
            samples = np.abs(np.frombuffer(event.frame.data, np.int16).astype(np.int32))
            loud = np.flatnonzero(samples > LOUD)
            if not len(loud):
                continue
            self._loud_at = at + float(loud[-1]) / RATE
            if self._out and self.reply_began:
                self._out.clear()
                self.interrupted += 1
