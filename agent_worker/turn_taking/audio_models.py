"""What the models that hear the caller say to a silence, asked before their answers are needed.

A model takes a tenth of a second and more for an answer. If the turn has ended, nothing but silence follows: so the
models are asked while the silence is still too short to decide, and hear in advance the silence up to the decision.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np
from livekit import rtc

from agent_worker.core.log import logger
from agent_worker.turn_taking.shared_models import AudioModel, Samples, SharedModel

SAMPLE_RATE = 16_000
#: The most that a model hears.
MAX_TURN_S = 8.0
_MINI_WINDOW_S = 1.2
_TAIL_S = 0.064

#: What is asked: a model of this process, in a thread, or one of another.
Asked = AudioModel | SharedModel


@dataclass(frozen=True)
class Answers:
    """Probabilities of the end; None for a model that is missing, is at work, or has failed."""

    mini: float | None = None
    smart: float | None = None

    def or_else(self, earlier: Answers) -> Answers:
        """Return these answers, and earlier ones where there is none."""
        return Answers(
            earlier.mini if self.mini is None else self.mini,
            earlier.smart if self.smart is None else self.smart,
        )


class Question:
    """The models at work on one silence.

    Args:
        turn: The audio of the turn at 16 kHz, with the silence so far.
        ahead_s: How much of the silence is still to come, seconds.
        mini: v1-mini; None if it is not asked.
        smart: smart-turn; None if it is not asked.
    """

    def __init__(self, turn: Samples, ahead_s: float, *, mini: Asked | None, smart: Asked | None) -> None:
        heard = with_silence_ahead(turn, ahead_s)
        recent = heard[-round(_MINI_WINDOW_S * SAMPLE_RATE) :]
        self._mini = asyncio.create_task(_asked(mini, recent), name="end_of_turn_mini")
        self._smart = asyncio.create_task(_asked(smart, heard), name="end_of_turn_smart")
        self._first = self._smart if mini is None else self._mini

    @property
    def is_answered(self) -> bool:
        """Whether no model is at work any more."""
        return self._mini.done() and self._smart.done()

    @property
    def answers(self) -> Answers:
        """The answers that are there."""
        return Answers(*(task.result() if task.done() else None for task in (self._mini, self._smart)))

    async def wait_for_first(self) -> None:
        """Return when the faster model has answered: smart-turn takes twice as long on a machine with other work."""
        await asyncio.wait([self._first])

    async def give_up(self) -> None:
        """Expect no answer any more; the threads of models at work end by themselves."""
        self._mini.cancel()
        self._smart.cancel()
        await asyncio.wait([self._mini, self._smart])


def with_silence_ahead(turn: Samples, ahead_s: float) -> Samples:
    """Return the audio with silence to come behind it: its last moment, back and forth, so that the noise is the same.

    Digital silence would be something else: v1-mini takes it less often for an end than the silence of a room.
    """
    count = round(ahead_s * SAMPLE_RATE)
    tail = turn[-round(_TAIL_S * SAMPLE_RATE) :]
    return turn if count <= 0 else np.concatenate([turn, np.resize(np.concatenate([tail[::-1], tail]), count)])


async def _asked(model: Asked | None, samples: Samples) -> float | None:
    if model is None:
        return None
    try:
        if isinstance(model, SharedModel):
            return await model.ask(samples)
        return await asyncio.to_thread(model, samples)
    except Exception as error:
        logger.error("an end-of-turn model failed: %s", type(error).__name__)
        return None


class TurnAudio:
    """The caller's last seconds of audio, as far as the models hear them."""

    def __init__(self) -> None:
        self._kept = np.zeros(0, np.int16)
        self._resampler: rtc.AudioResampler | None = None

    def push(self, frame: rtc.AudioFrame) -> None:
        """Append a frame; other rates than 16 kHz are converted."""
        for converted in self._at_rate(frame):
            samples = np.frombuffer(converted.data, np.int16)[:: converted.num_channels]
            self._kept = np.concatenate([self._kept, samples])[-round(MAX_TURN_S * SAMPLE_RATE) :]

    def latest(self, seconds: float) -> Samples:
        """Return the last seconds, at most those that are kept."""
        return self._kept[-max(1, round(seconds * SAMPLE_RATE)) :]

    def clear(self) -> None:
        """Drop the audio: the turn has ended."""
        self._kept = np.zeros(0, np.int16)

    def _at_rate(self, frame: rtc.AudioFrame) -> list[rtc.AudioFrame]:
        if frame.sample_rate == SAMPLE_RATE:
            return [frame]
        if self._resampler is None:
            quality = rtc.AudioResamplerQuality.QUICK
            self._resampler = rtc.AudioResampler(frame.sample_rate, SAMPLE_RATE, quality=quality)
        return self._resampler.push(frame)
