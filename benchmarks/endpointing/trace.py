"""Silences that livekit-agents' VAD and end-of-turn model would detect in a recording, faster than real time.

`_Listener` repeats `AudioRecognition._on_vad_event` of livekit-agents 1.8.9, as far as it decides about turns. Frames
are as long as those that a session gets from a room. An event happens when the frame arrives that completes the VAD's
window. The clock is the position in the audio; only the end-of-turn model's time is real.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from livekit import rtc
from livekit.agents import inference, vad
from livekit.agents.inference.eot.base import MIN_SILENCE_DURATION_MS
from livekit.plugins.silero import VAD as SileroVAD  # noqa: N811

from benchmarks.endpointing.speech import SAMPLE_RATE, Recording
from benchmarks.endpointing.turns import Silence, Turn

_FRAME_SAMPLES = SAMPLE_RATE * 50 // 1000
"""RoomInputOptions.audio_frame_size_ms."""
_WINDOW_SAMPLES = 512


def vads() -> dict[str, vad.VAD]:
    """Return the VADs by their name in the report; a session without a VAD uses `inference.VAD`."""
    return {
        "inference 0.25": inference.VAD(min_silence_duration=0.25),
        "inference 0.30": inference.VAD(min_silence_duration=0.30),
        "inference 0.55": inference.VAD(min_silence_duration=0.55),
        "plugin 0.25": SileroVAD.load(min_silence_duration=0.25),
        "plugin 0.55": SileroVAD.load(),
    }


async def trace(recording: Recording, detector: inference.TurnDetector, voice_activity: vad.VAD) -> Turn:
    """Run a VAD and the end-of-turn model on a recording."""
    return Turn(
        sentence=recording.sentence.number,
        category=recording.sentence.category,
        voice=recording.voice,
        text=" | ".join(recording.sentence.parts),
        one_piece=recording.one_piece,
        noise_dbfs=recording.noise_dbfs,
        pauses=tuple((round(begin, 4), round(end, 4)) for begin, end in recording.pauses),
        end=recording.end,
        silences=await _silences(recording.samples, detector, voice_activity),
    )


async def _silences(
    samples: npt.NDArray[np.int16], detector: inference.TurnDetector, voice_activity: vad.VAD
) -> tuple[Silence, ...]:
    vad_stream, detector_stream = voice_activity.stream(), detector.stream()
    listener = _Listener(detector_stream)
    windows = 0
    try:
        for frame_end, frame in _frames(samples):
            vad_stream.push_frame(frame)
            detector_stream.push_audio(frame)
            # The next frame waits, so that the detector's buffer has the content that it would have in a call.
            # The VAD sends START and END_OF_SPEECH after a window's INFERENCE_DONE; they are read with the next one.
            while windows < frame_end // _WINDOW_SAMPLES:
                event = await anext(vad_stream)
                windows += event.type == vad.VADEventType.INFERENCE_DONE
                await listener.on_event(event)
        vad_stream.end_input()
        async for event in vad_stream:
            await listener.on_event(event)
    finally:
        await vad_stream.aclose()
        await detector_stream.aclose()
    return tuple(listener.silences)


def _frames(samples: npt.NDArray[np.int16]) -> Iterator[tuple[int, rtc.AudioFrame]]:
    for start in range(0, len(samples) - _FRAME_SAMPLES + 1, _FRAME_SAMPLES):
        data = samples[start : start + _FRAME_SAMPLES].tobytes()
        yield start + _FRAME_SAMPLES, rtc.AudioFrame(data, SAMPLE_RATE, 1, _FRAME_SAMPLES)


def _arrival(event: vad.VADEvent) -> float:
    """Return when the frame arrives that completes the event's window."""
    frames = -(-event.samples_index // _FRAME_SAMPLES)
    return frames * _FRAME_SAMPLES / SAMPLE_RATE


class _Listener:
    def __init__(self, detector: Any) -> None:
        self.silences: list[Silence] = []
        self._detector = detector
        self._speaking = False
        self._speech_from = 0.0
        self._prediction: tuple[float, float, float] | None = None

    async def on_event(self, event: vad.VADEvent) -> None:
        now = _arrival(event)
        if event.type == vad.VADEventType.START_OF_SPEECH:
            self._speaking = True
            self._prediction = None
            self._speech_from = now - event.speech_duration
            if self.silences:
                self.silences[-1] = replace(self.silences[-1], resumed_at=round(now, 4))
        elif event.type == vad.VADEventType.INFERENCE_DONE and self._speaking:
            if event.raw_accumulated_speech > 0:
                self._prediction = None
            if event.raw_accumulated_silence >= MIN_SILENCE_DURATION_MS / 1000 and self._prediction is None:
                predicted = await self._detector.predict()
                self._prediction = (predicted.end_of_turn_probability, now, predicted.inference_duration)
        elif event.type == vad.VADEventType.END_OF_SPEECH:
            self._speaking = False
            self.silences.append(self._silence(now, event.silence_duration))

    def _silence(self, now: float, duration: float) -> Silence:
        assert self._prediction is not None  # every VAD here waits longer than the model
        probability, predicted_at, seconds = self._prediction
        return Silence(
            speech_from=round(self._speech_from, 4),
            since=round(now - duration, 4),
            reported_at=round(now, 4),
            probability=round(probability, 4),
            predicted_at=round(predicted_at, 4),
            prediction_seconds=round(seconds, 4),
            resumed_at=None,
        )
