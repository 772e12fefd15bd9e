"""How long is sound on its way between caller and agent, there and back?

A turn record counts from the caller's sound arriving at the agent to the agent's leaving it. What the caller waits
beyond that is the way, measured here by two participants who do nothing else: one sends and hears as ``caller``
does, the other as an agent of livekit-agents.
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

from agent_worker.app.call import INPUT
from agent_worker.turn_taking.audio_input import SpeechEndTracker
from benchmarks.latency.calls import room_token
from caller.agent_audio import AgentAudioMonitor
from caller.audio import SAMPLE_RATE, Pcm
from caller.clock import Clock
from caller.microphone import Microphone

_TONES = 8
_TONE = 0.3
_PAUSE = 0.7
_LONGEST_WAY = 0.3
_AGENT_RATE = 24_000
_AGENT_FRAME = _AGENT_RATE // 20
_AGENT_QUEUE_MS = 200  # as livekit-agents' ParticipantAudioOutput has it


class _Line(io.AudioInput):
    """A track as a session of livekit-agents hears it."""

    def __init__(self, track: rtc.Track) -> None:
        super().__init__(label="way")
        self._stream = rtc.AudioStream(track, sample_rate=INPUT.sample_rate, frame_size_ms=INPUT.frame_size_ms)

    async def __anext__(self) -> rtc.AudioFrame:
        return (await anext(self._stream)).frame


async def measure_way(url: str) -> float:
    """Seconds, there and back: the medians of several tones in each direction."""
    async with contextlib.AsyncExitStack() as stack:
        clock, name = Clock(), f"way-{uuid4().hex[:6]}"
        monitor, microphone = AgentAudioMonitor(clock), Microphone(clock)
        voice = rtc.AudioSource(_AGENT_RATE, 1, queue_size_ms=_AGENT_QUEUE_MS)
        for closing in (monitor, microphone, voice):
            stack.push_async_callback(closing.aclose)
        caller, agent = rtc.Room(), rtc.Room()
        heard: asyncio.Future[SpeechEndTracker] = asyncio.get_running_loop().create_future()
        agent.on("track_subscribed", lambda track, *_: heard.set_result(SpeechEndTracker(_Line(track))))
        caller.on("track_subscribed", lambda track, *_: monitor.attach(track))
        for room, identity, source in ((caller, "caller", microphone.source), (agent, "agent", voice)):
            await room.connect(url, room_token(name, identity))
            stack.push_async_callback(room.disconnect)
            track = rtc.LocalAudioTrack.create_audio_track("voice", source)
            await room.local_participant.publish_track(track)
        listening = asyncio.create_task(_listen(await heard))
        stack.push_async_callback(utils.aio.cancel_and_wait, listening)
        await asyncio.sleep(2)  # until the jitter buffers know this network
        there = [await _there(microphone, clock, heard.result()) for _ in range(_TONES)]
        back = [await _back(voice, clock, monitor) for _ in range(_TONES)]
        return statistics.median(there) + statistics.median(back)


async def _listen(heard: SpeechEndTracker) -> None:
    async for _ in heard:
        pass


async def _there(microphone: Microphone, clock: Clock, heard: SpeechEndTracker) -> float:
    """From the caller's last sample to the agent's having heard it."""
    spoken = await microphone.play(np.concatenate([_tone(SAMPLE_RATE), np.zeros(SAMPLE_RATE // 10, np.int16)]))
    await asyncio.sleep(_PAUSE)
    sent = clock.zero + spoken.last_sent
    return heard.last_audible(sent + _LONGEST_WAY) - sent


async def _back(voice: rtc.AudioSource, clock: Clock, monitor: AgentAudioMonitor) -> float:
    """From the agent's first sample to the caller's hearing it."""
    begun, tone = clock.now(), _tone(_AGENT_RATE)
    for start in range(0, len(tone), _AGENT_FRAME):
        frame = tone[start : start + _AGENT_FRAME]
        await voice.capture_frame(rtc.AudioFrame(frame.tobytes(), _AGENT_RATE, 1, len(frame)))
    await asyncio.sleep(_PAUSE)
    return monitor.segments(begun)[0].start - begun


def _tone(rate: int) -> Pcm:
    times = np.arange(int(rate * _TONE)) / rate
    return (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
