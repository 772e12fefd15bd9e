"""An agent that replies to sound with a tone, a fixed time after the sound ends."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np
from livekit import api, rtc

from testbed.services import API_KEY, API_SECRET, Ports
from tests.caller.conftest import tone

RATE = 48_000
FRAME_SAMPLES = RATE // 100
LOUD = 1000  # sample value: well above codec noise, well below the tones


@dataclass
class ScriptedAgent:
    """Sends 10 ms frames continuously; instants are on `time.monotonic()`."""

    reply_after_s: float | None = 0.5
    """From the last loud sample received to the first sample of the reply; None: no reply."""
    reply_s: float = 0.4
    """The length of the reply's tone."""
    greeting_s: float = 0.0
    states: bool = True
    transcripts: bool = False
    reply_began: list[float] = field(default_factory=list)
    interruptions: int = 0
    procedure: str = ""
    """A remote procedure that callers may call."""
    payloads: list[str] = field(default_factory=list)
    """What it was called with."""

    def __post_init__(self) -> None:
        self.room = rtc.Room()
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=0)
        self._out: list[np.ndarray] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._loud_at = 0.0
        self._caller = ""
        self._number = 0

    @contextlib.asynccontextmanager
    async def joined(self, livekit: Ports, room: str) -> AsyncIterator["ScriptedAgent"]:
        token = api.AccessToken(API_KEY, API_SECRET).with_identity("agent").with_kind("agent")
        grants = api.VideoGrants(room_join=True, room_create=True, room=room, can_update_own_metadata=True)
        self.room.on("track_subscribed", self._subscribed)
        await self.room.connect(livekit.livekit_url, token.with_grants(grants).to_jwt())
        if self.procedure:
            self.room.local_participant.register_rpc_method(self.procedure, self._run_procedure)
        track = rtc.LocalAudioTrack.create_audio_track("voice", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        await self._set_state("listening")
        self._tasks.append(asyncio.create_task(self._send()))
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.room.disconnect()
            await self._source.aclose()

    async def _set_state(self, state: str) -> None:
        if self.states:
            await self.room.local_participant.set_attributes({"lk.agent.state": state})

    async def _run_procedure(self, request: rtc.RpcInvocationData) -> str:
        self.payloads.append(request.payload)
        return "done"

    def _subscribed(self, track: rtc.Track, _: object, participant: rtc.RemoteParticipant) -> None:
        self._caller = participant.identity
        self._tasks.append(asyncio.create_task(self._receive(track)))
        if self.greeting_s:
            self._say(self.greeting_s)

    def _say(self, seconds: float) -> None:
        sound = tone(seconds, hertz=600)
        pcm = np.pad(sound, (0, -len(sound) % FRAME_SAMPLES)) * 32767
        self._out += list(pcm.astype(np.int16).reshape(-1, FRAME_SAMPLES))

    async def _send(self) -> None:
        due = time.monotonic()
        talking = False
        while True:
            if self.reply_after_s is not None and self._loud_at and not self._out:
                # Sleep to the exact instant: the reply may begin between two frames.
                start = self._loud_at + self.reply_after_s
                if start <= due + FRAME_SAMPLES / RATE:
                    await asyncio.sleep(max(start - time.monotonic(), 0))
                    due = time.monotonic()
                    self.reply_began.append(due)
                    self._loud_at = 0.0
                    self._say(self.reply_s)
            if bool(self._out) != talking:
                talking = not talking
                task = asyncio.create_task(self._publish(talking))
                self._tasks.append(task)
            frame = self._out.pop(0) if self._out else np.zeros(FRAME_SAMPLES, np.int16)
            await self._source.capture_frame(rtc.AudioFrame(frame.tobytes(), RATE, 1, FRAME_SAMPLES))
            due += FRAME_SAMPLES / RATE
            await asyncio.sleep(max(due - time.monotonic(), 0))

    async def _publish(self, talking: bool) -> None:
        await self._set_state("speaking" if talking else "listening")
        if talking and self.transcripts and self.reply_began:
            self._number += 1
            segment, local = f"SG_agent{self._number}", self.room.local_participant
            for text, final in (("hel", "false"), ("Hello.", "true")):
                attributes = {"lk.segment_id": f"SG_user{self._number}", "lk.transcription_final": final}
                writer = await local.stream_text(
                    topic="lk.transcription", sender_identity=self._caller, attributes=attributes
                )
                await writer.write(text)
                await writer.aclose()
            attributes = {"lk.segment_id": segment, "lk.transcription_final": "false"}
            writer = await local.stream_text(topic="lk.transcription", attributes=attributes)
            for word in ("Good ", "day."):
                await writer.write(word)
                await asyncio.sleep(0.1)
            await writer.aclose(attributes={"lk.transcription_final": "true"})
            await local.send_text("beside", topic="test.extra")

    async def _receive(self, track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=10):
            at = time.monotonic()
            samples = np.abs(np.frombuffer(event.frame.data, np.int16).astype(np.int32))
            loud = np.flatnonzero(samples > LOUD)
            if not len(loud):
                continue
            self._loud_at = at + float(loud[-1]) / RATE
            if self._out and self.reply_began:
                self._out.clear()
                self.interruptions += 1
