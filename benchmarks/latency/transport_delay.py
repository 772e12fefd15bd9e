"""Transport delay of audio between caller and agent, there and back.

A turn record counts from the arrival of the caller's audio at the agent to the agent's output. The caller waits longer
by the transport delay: encoder, server, network and jitter buffer, in both directions. Two participants that do nothing
else measure it: one sends and listens as ``caller`` does, the other as an agent of livekit-agents.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from uuid import uuid4

import numpy as np
from livekit import rtc
from livekit.agents import utils
from livekit.agents.voice import io

from agent_worker.turn_taking.audio_input import SpeechEndTracker
from agent_worker.turn_taking.endpointing import AUDIO_INPUT
from benchmarks.harness.calls import room_token
from caller.agent_audio import AgentAudioMonitor
from caller.audio import SAMPLE_RATE, Pcm
from caller.clock import Clock
from caller.microphone import Microphone

_TONES = 8
_TONE_S = 0.3
_PAUSE_S = 0.7
_MAX_DELAY_S = 0.3
_JITTER_BUFFER_SETTLE_S = 2
_AGENT_SAMPLE_RATE = 24_000
_AGENT_FRAME_SAMPLES = _AGENT_SAMPLE_RATE // 20
_AGENT_QUEUE_MS = 200  # as in livekit-agents' ParticipantAudioOutput


class _TrackInput(io.AudioInput):
    """A track as an AgentSession receives it."""

    def __init__(self, track: rtc.Track) -> None:
        super().__init__(label="transport delay")
        self._stream = rtc.AudioStream(
            track, sample_rate=AUDIO_INPUT.sample_rate, frame_size_ms=AUDIO_INPUT.frame_size_ms
        )

    async def __anext__(self) -> rtc.AudioFrame:
        return (await anext(self._stream)).frame


async def measure_transport_delay(url: str) -> float:
    """Return the delay there and back, seconds: the sum of the medians of several tones in each direction."""
    async with contextlib.AsyncExitStack() as stack:
        clock, name = Clock(), f"transport-delay-{uuid4().hex[:6]}"
        monitor, microphone = AgentAudioMonitor(clock), Microphone(clock)
        voice = rtc.AudioSource(_AGENT_SAMPLE_RATE, 1, queue_size_ms=_AGENT_QUEUE_MS)
        for closing in (monitor, microphone, voice):
            stack.push_async_callback(closing.aclose)
        caller, agent = rtc.Room(), rtc.Room()
        subscribed: asyncio.Future[SpeechEndTracker] = asyncio.get_running_loop().create_future()
        agent.on("track_subscribed", lambda track, *_: subscribed.set_result(SpeechEndTracker(_TrackInput(track))))
        caller.on("track_subscribed", lambda track, *_: monitor.attach(track))
        for room, identity, source in ((caller, "caller", microphone.source), (agent, "agent", voice)):
            await room.connect(url, room_token(name, identity))
            stack.push_async_callback(room.disconnect)
            track = rtc.LocalAudioTrack.create_audio_track("voice", source)
            await room.local_participant.publish_track(track)
        tracker = await subscribed
        stack.push_async_callback(utils.aio.cancel_and_wait, asyncio.create_task(_listen(tracker)))
        await asyncio.sleep(_JITTER_BUFFER_SETTLE_S)
        there = [await _to_agent(microphone, clock, tracker) for _ in range(_TONES)]
        back = [await _to_caller(voice, clock, monitor) for _ in range(_TONES)]
        return statistics.median(there) + statistics.median(back)


async def _listen(tracker: SpeechEndTracker) -> None:
    async for _ in tracker:
        pass


async def _to_agent(microphone: Microphone, clock: Clock, tracker: SpeechEndTracker) -> float:
    """Return the time from the caller's last sample to its arrival at the agent."""
    spoken = await microphone.play(np.concatenate([_tone(SAMPLE_RATE), np.zeros(SAMPLE_RATE // 10, np.int16)]))
    await asyncio.sleep(_PAUSE_S)
    sent = clock.zero + spoken.last_sent
    return tracker.last_audible(sent + _MAX_DELAY_S) - sent


async def _to_caller(voice: rtc.AudioSource, clock: Clock, monitor: AgentAudioMonitor) -> float:
    """Return the time from the agent's first sample to when the caller hears it."""
    began, tone = clock.now(), _tone(_AGENT_SAMPLE_RATE)
    for start in range(0, len(tone), _AGENT_FRAME_SAMPLES):
        frame = tone[start : start + _AGENT_FRAME_SAMPLES]
        await voice.capture_frame(rtc.AudioFrame(frame.tobytes(), _AGENT_SAMPLE_RATE, 1, len(frame)))
    await asyncio.sleep(_PAUSE_S)
    return monitor.segments(began)[0].start - began


def _tone(sample_rate: int) -> Pcm:
    times = np.arange(int(sample_rate * _TONE_S)) / sample_rate
    return (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
