"""End-of-turn detectors of ours, behind livekit-agents' protocol of streaming detectors.

livekit-agents calls ``predict()`` when the caller has been silent for a moment, and waits for its result before it ends
the turn. The detector resolves it at the moment at which the turn should end, so the result's time is the decision.
New speech cancels it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from livekit import rtc
from livekit.agents import APIConnectOptions
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from agent_worker.core.compat.livekit import TurnDetectionEvent, turn_detection_event
from agent_worker.core.log import logger
from agent_worker.turn_taking.completeness import completeness
from agent_worker.turn_taking.fusion import Evidence, Fusion
from agent_worker.turn_taking.turn_text import TurnText

SAMPLE_RATE = 16_000
#: The silence that has passed when livekit-agents calls ``predict()``: eight windows of its voice activity detector.
DETECTED_SILENCE_S = 0.256
#: How often the fusion is asked while the silence lasts.
STEP_S = 0.064
#: At these silences the models hear the audio; the fusion's weights were fitted to their answers there.
CHECKPOINTS_S = (0.256, 0.512, 0.8, 1.216)
#: How long the words of the latest speech may be missing before the silence alone decides.
TRANSCRIPT_PATIENCE_S = 1.0
_WINDOW_S = 8.0
_MINI_WINDOW_S = 1.2
#: Of the audio before the caller's speech is detected, which belongs to the turn.
_PREFIX_S = 0.5
#: livekit-agents ends the turn without a decision after so long; the detector's own bound is ``max_delay_s``.
_GIVE_UP_S = 30.0

Samples = npt.NDArray[np.int16]


#: Returns the probability of the end; runs in a thread.
AudioModel = Callable[[Samples], float]


class Policy(Protocol):
    """Decides from the evidence and the silence so far."""

    @property
    def max_delay_s(self) -> float:
        """Silence after which every turn ends, whatever the evidence."""

    def __call__(self, evidence: Evidence, silence_s: float) -> bool:
        """Whether the turn has ended."""
        ...


@dataclass(frozen=True)
class FusedPolicy:
    """Ends the turn when the fusion says so, not before one bound and at the latest at the other.

    Attributes:
        fusion: The weights.
        cut_cost_s: How many seconds of waiting are as bad as a cut pause.
        min_delay_s: Silence before which no turn ends.
        max_delay_s: Silence after which every turn ends.
    """

    fusion: Fusion
    cut_cost_s: float
    min_delay_s: float
    max_delay_s: float

    def __call__(self, evidence: Evidence, silence_s: float) -> bool:
        """See :class:`Policy`."""
        if silence_s >= self.max_delay_s:
            return True
        return silence_s >= self.min_delay_s and self.fusion.is_end(evidence, silence_s, self.cut_cost_s)


@dataclass(frozen=True)
class ThresholdPolicy:
    """Ends the turn after one of two silences, by smart-turn's first answer.

    Attributes:
        threshold: From this probability the silence is taken for the end.
        min_delay_s: The silence then.
        max_delay_s: The silence otherwise.
    """

    threshold: float
    min_delay_s: float
    max_delay_s: float

    def __call__(self, evidence: Evidence, silence_s: float) -> bool:
        """See :class:`Policy`."""
        is_likely = evidence.smart is not None and evidence.smart >= self.threshold
        return silence_s >= (self.min_delay_s if is_likely else self.max_delay_s)


@dataclass
class EndOfTurnDetector:
    """A detector of the end of the caller's turn, in livekit-agents' shape.

    Attributes:
        policy: Decides.
        mini: v1-mini; None if the policy does not ask it.
        smart: smart-turn; None if the policy does not ask it.
        text: The caller's words.
        waits_for_text: Whether a decision waits for the words of the latest speech.
        checkpoints_s: Silences at which the models are asked.
        now: The clock.
        sleep: Waits on that clock.
        expects_end: Whether the evidence says, in the silence that lasts, that the turn has ended. livekit-agents may
            have to wait all the same.
    """

    policy: Policy
    mini: AudioModel | None = None
    smart: AudioModel | None = None
    text: TurnText = field(default_factory=TurnText)
    waits_for_text: bool = True
    checkpoints_s: tuple[float, ...] = CHECKPOINTS_S
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    expects_end: bool = False

    @property
    def model(self) -> str:
        """Name of the detector in livekit-agents' traces."""
        if self.mini is None:
            return "smart-turn"
        return "fused" if self.smart else "fused-without-smart-turn"

    @property
    def provider(self) -> str:
        """Who runs it."""
        return "agent-worker"

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> EndOfTurnStream:
        """Return a detector for one call."""
        return EndOfTurnStream(self)


class EndOfTurnStream:
    """The detector of one call. livekit-agents calls its methods on the event loop."""

    def __init__(self, detector: EndOfTurnDetector) -> None:
        self._detector = detector
        self._audio = TurnAudio()
        self._decision: asyncio.Future[TurnDetectionEvent] | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def model(self) -> str:
        """See :class:`EndOfTurnDetector`."""
        return self._detector.model

    @property
    def provider(self) -> str:
        """See :class:`EndOfTurnDetector`."""
        return self._detector.provider

    @property
    def is_fallback(self) -> bool:
        """Never: nothing replaces it."""
        return False

    @property
    def prediction_timeout(self) -> float:
        """Longer than every decision."""
        return _GIVE_UP_S

    async def unlikely_threshold(self, language: object) -> float | None:
        """0: a resolved prediction is the end of the turn."""
        return 0.0

    async def backchannel_threshold(self, language: object) -> float | None:
        """None: it predicts no backchannels."""
        return None

    async def supports_language(self, language: object) -> bool:
        """Every language: without words that it knows, the sound and the silence decide."""
        return True

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        """Keep the caller's audio."""
        self._audio.push(frame)

    def predict(self) -> asyncio.Future[TurnDetectionEvent]:
        """Return a future that is done when the turn has ended."""
        self.cancel_inference()
        self._decision = asyncio.get_running_loop().create_future()
        if self._closed:
            self._decision.set_result(turn_detection_event(1.0))
        else:
            self._task = asyncio.create_task(self._decide(self._decision), name="end_of_turn")
        return self._decision

    def cancel_inference(self, *, timed_out: bool = False) -> None:
        """Stop deciding: the caller speaks again, or the turn has ended otherwise."""
        self._detector.expects_end = False
        task, self._task = self._task, None
        decision, self._decision = self._decision, None
        if task:
            task.cancel()
        if decision and not decision.done():
            decision.set_result(turn_detection_event(0.0))

    def flush(self, reason: str | None = None) -> None:
        """Begin a new turn."""
        self.cancel_inference()
        self._audio.clear()
        self._detector.text.clear()

    def end_input(self) -> None:
        """Expect no more audio."""
        self.flush()
        self._closed = True

    async def aclose(self) -> None:
        """Stop."""
        task = self._task
        self.end_input()
        if task:
            await asyncio.wait([task])

    async def _decide(self, decision: asyncio.Future[TurnDetectionEvent]) -> None:
        probability = 1.0
        try:
            probability = await self._wait_for_end()
        except Exception as error:  # the caller must not wait for a decision that never comes
            logger.error("the end-of-turn detector failed, the turn ends: %s", type(error).__name__)
        if not decision.done():
            decision.set_result(turn_detection_event(probability))

    async def _wait_for_end(self) -> float:
        detector = self._detector
        began = detector.now() - DETECTED_SILENCE_S
        checkpoints = list(detector.checkpoints_s)
        mini = smart = None
        step = 0
        while True:
            silence_s = detector.now() - began
            if checkpoints and silence_s >= checkpoints[0] - 1e-6:
                checkpoints = [at for at in checkpoints if at > silence_s]
                mini, smart = await self._ask_models()
                silence_s = detector.now() - began
            text = detector.text.words
            evidence = Evidence(mini, smart, completeness(text, detector.text.question) if text else None, text)
            if self._may_end(silence_s) and detector.policy(evidence, silence_s):
                detector.expects_end = silence_s < detector.policy.max_delay_s
                return max(mini or 0.0, smart or 0.0)
            step += 1
            await detector.sleep(max(0.0, began + DETECTED_SILENCE_S + step * STEP_S - detector.now()))

    def _may_end(self, silence_s: float) -> bool:
        """Whether the words of the latest speech are there, or have had their time."""
        detector = self._detector
        return not detector.waits_for_text or detector.text.is_settled or silence_s >= TRANSCRIPT_PATIENCE_S

    async def _ask_models(self) -> tuple[float | None, float | None]:
        detector = self._detector
        started_at = detector.text.started_at
        samples = self._audio.latest(_WINDOW_S if started_at is None else detector.now() - started_at + _PREFIX_S)
        recent = samples[-round(_MINI_WINDOW_S * SAMPLE_RATE) :]
        mini, smart = await asyncio.gather(_asked(detector.mini, recent), _asked(detector.smart, samples))
        return mini, smart


async def _asked(model: AudioModel | None, samples: Samples) -> float | None:
    if model is None:
        return None
    try:
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
            self._kept = np.concatenate([self._kept, samples])[-round(_WINDOW_S * SAMPLE_RATE) :]

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
