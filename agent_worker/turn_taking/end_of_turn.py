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

from livekit import rtc
from livekit.agents import APIConnectOptions, vad
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from agent_worker.core.compat.livekit import TurnDetectionEvent, turn_detection_event
from agent_worker.core.log import logger
from agent_worker.turn_taking.audio_models import MAX_TURN_S, Asked, Question, TurnAudio
from agent_worker.turn_taking.completeness import completeness
from agent_worker.turn_taking.fusion import Evidence, Fusion
from agent_worker.turn_taking.turn_text import TurnText

#: The silence that has passed when livekit-agents calls ``predict()``: eight windows of its voice activity detector.
DETECTED_SILENCE_S = 0.256
#: How often the fusion is asked while the silence lasts.
STEP_S = 0.064
#: The models answer to these silences; the fusion's weights were fitted to their answers there.
CHECKPOINTS_S = (0.256, 0.8)
#: They are asked so long before: their answers are there in time, and a shorter break is seldom the end of a turn.
AHEAD_S = 0.128
#: How long the words of the latest speech may be missing before the silence alone decides.
TRANSCRIPT_PATIENCE_S = 1.0
#: Of the audio before the caller's speech is detected, which belongs to the turn.
_PREFIX_S = 0.5
#: livekit-agents ends the turn without a decision after so long; the detector's own bound is ``max_delay_s``.
_GIVE_UP_S = 30.0
#: An event of the voice activity detector tells the silence before its own window, in which there may be a voice.
_VAD_WINDOW_S = 0.032
_VOICE_PROBABILITY = 0.35
#: Of sums of steps.
_CLOCK_ERROR_S = 1e-6


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
        without_smart: The weights while smart-turn has not answered. ``None``: ``fusion``.
    """

    fusion: Fusion
    cut_cost_s: float
    min_delay_s: float
    max_delay_s: float
    without_smart: Fusion | None = None

    def __call__(self, evidence: Evidence, silence_s: float) -> bool:
        """See :class:`Policy`."""
        if silence_s >= self.max_delay_s:
            return True
        fusion = self.without_smart if self.without_smart and evidence.smart is None else self.fusion
        return silence_s >= self.min_delay_s and fusion.is_end(evidence, silence_s, self.cut_cost_s)


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
    mini: Asked | None = None
    smart: Asked | None = None
    text: TurnText = field(default_factory=TurnText)
    waits_for_text: bool = True
    checkpoints_s: tuple[float, ...] = CHECKPOINTS_S
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    expects_end: bool = False
    _stream: EndOfTurnStream | None = field(default=None, init=False, repr=False)

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
        self._stream = EndOfTurnStream(self)
        return self._stream

    def on_voice_activity(self, event: vad.VADEvent) -> None:
        """Take each event of the voice activity detector, so that the models are asked ahead of the decision."""
        if self._stream and event.type is vad.VADEventType.INFERENCE_DONE:
            self._stream.on_voice_activity(event)


class EndOfTurnStream:
    """The detector of one call. livekit-agents calls its methods on the event loop."""

    def __init__(self, detector: EndOfTurnDetector) -> None:
        self._detector = detector
        self._audio = TurnAudio()
        self._decision: asyncio.Future[TurnDetectionEvent] | None = None
        self._task: asyncio.Task[None] | None = None
        self._asking: Question | None = None
        self._is_asked_early = False
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

    def on_voice_activity(self, event: vad.VADEvent) -> None:
        """Ask the models as soon as the caller is silent for a moment; voice makes the answers worthless."""
        if self._closed:
            return
        if event.raw_accumulated_silence == 0:
            self._is_asked_early = False
        silence_s = event.raw_accumulated_silence + _VAD_WINDOW_S
        is_silence = event.speaking and event.probability < _VOICE_PROBABILITY
        is_due = silence_s >= DETECTED_SILENCE_S - AHEAD_S - _CLOCK_ERROR_S
        # While the models are at work on an earlier silence, they are not asked again: there may be one core.
        if is_silence and is_due and not self._is_asked_early and (self._asking is None or self._asking.is_answered):
            self._is_asked_early = True
            self._asking = self._ask(DETECTED_SILENCE_S - silence_s)

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
        self._is_asked_early = False
        self._audio.clear()
        self._detector.text.clear()

    def end_input(self) -> None:
        """Expect no more audio."""
        self.flush()
        self._closed = True

    async def aclose(self) -> None:
        """Stop. A model that is at work is not waited for: its thread ends by itself."""
        task = self._task
        self.end_input()
        if task:
            task.cancel()
            await asyncio.wait([task])
        if self._asking:
            await self._asking.give_up()

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
        later = list(detector.checkpoints_s[1:])
        self._asking = asking = self._asking if self._is_asked_early and self._asking else self._ask(0.0)
        await asking.wait_for_first()
        answers = asking.answers
        step = 0
        while True:
            silence_s = detector.now() - began
            answers = asking.answers.or_else(answers)
            if asking.is_answered and later and silence_s >= later[0] - AHEAD_S - _CLOCK_ERROR_S:
                self._asking = asking = self._ask(later.pop(0) - silence_s)
            text = detector.text.words
            known = completeness(text, detector.text.question) if text else None
            evidence = Evidence(answers.mini, answers.smart, known, text)
            if self._may_end(silence_s) and detector.policy(evidence, silence_s):
                detector.expects_end = silence_s < detector.policy.max_delay_s
                return max(answers.mini or 0.0, answers.smart or 0.0)
            step += 1
            await detector.sleep(max(0.0, began + DETECTED_SILENCE_S + step * STEP_S - detector.now()))

    def _may_end(self, silence_s: float) -> bool:
        """Whether the words of the latest speech are there, or have had their time."""
        detector = self._detector
        return not detector.waits_for_text or detector.text.is_settled or silence_s >= TRANSCRIPT_PATIENCE_S

    def _ask(self, ahead_s: float) -> Question:
        detector = self._detector
        started_at = detector.text.started_at
        turn = self._audio.latest(MAX_TURN_S if started_at is None else detector.now() - started_at + _PREFIX_S)
        return Question(turn, ahead_s, mini=detector.mini, smart=detector.smart)
