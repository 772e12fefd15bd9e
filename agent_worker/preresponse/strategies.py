"""Strategies: where a pre-response comes from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import llm, utils

from agent_worker.core.log import logger
from agent_worker.core.settings import StrategyName
from agent_worker.preresponse import fast_reply
from agent_worker.preresponse.pending_speech import PendingSpeech
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.policy import Plan
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.telemetry.unreported_usage import UnreportedUsage
from agent_worker.text import guard
from agent_worker.text.intent import Intent
from agent_worker.text.move import Move

#: Silence that a tool call makes: what is said in it may be a look-up phrase.
_TOOL_SILENCE_S = 2.0


@dataclass(frozen=True)
class Preresponse:
    """What is spoken before the answer.

    Attributes:
        text: A short sentence.
        source: ``llm``, ``phrase``, or a custom strategy's word.
        speech: Its audio, if the synthesis has begun.
        move: What it does, if the strategy knows: the policy does not make the same move three times running.
    """

    text: str
    source: str
    speech: PendingSpeech | None = None
    move: Move | None = None


@dataclass(frozen=True)
class CallerTurn:
    """What a strategy knows of the caller's turn.

    Attributes:
        text: The transcript.
        intent: Its most probable intent.
        language: Language tag of the call.
        recent: The pre-responses of the last turns, the latest last.
        trace: The trace of the turn.
        alternatives: Other plausible intents, the most probable first: a pre-response should fit them too.
        plan: The moves that fit; ``None``: those that fit the intent.
        answer_eta: Seconds in which the answer is expected, by the last turns; ``None`` if unknown.
        silence_s: Returns the seconds since the caller's last sound; ``None`` if unknown.
    """

    text: str
    intent: Intent
    language: str
    recent: Sequence[str]
    trace: TurnTrace
    alternatives: tuple[Intent, ...] = ()
    plan: Plan | None = None
    answer_eta: float | None = None
    silence_s: Callable[[], float | None] = lambda: None

    @property
    def move(self) -> Move:
        """The move that is wanted, as far as it is known now."""
        return self.moves(self.answer_eta)[0]

    @property
    def is_certain(self) -> bool:
        """Whether it is certain that the caller made a statement, or a request."""
        return self.plan is None or self.plan.is_certain

    def moves(self, answer_eta: float | None) -> tuple[Move, ...]:
        """Return the moves that fit if the answer is expected in so many seconds, the best first."""
        return (self.plan or Plan.of_intent(self.intent)).moves(answer_eta, self.silence_s())


class Attempt(Protocol):
    """The search for the pre-response of one turn. It may begin before the turn is known to have ended."""

    predicted_text: str | None
    """What will be said, or a similar sentence: spoken during a tool call that comes first. ``None`` if unknown."""

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        """Return what to say; called when the turn has ended, and the caller hears silence while it runs.

        Args:
            answer_eta: Seconds until the answer is expected; ``None`` if unknown.
        """

    async def aclose(self) -> None:
        """Release resources: the turn is over or was interrupted."""


class Strategy(Protocol):
    """A source of pre-responses. Pass your own to ``PreResponseAgent``."""

    name: str

    def begin(self, turn: CallerTurn) -> Attempt:
        """Start the search; called when the transcript is known, often before the turn is known to have ended."""


class PhraseStrategy:
    """Speak a phrase that makes the wanted move, from cached audio.

    Args:
        book: The phrases.
        duration: Returns how long a phrase takes to speak, seconds, or ``None``. Phrases that end before the answer
            is expected are preferred.
    """

    name = "phrase"

    def __init__(self, book: PhraseBook, duration: Callable[[str], float | None] = lambda _: None) -> None:
        self._book = book
        self._duration = duration

    def begin(self, turn: CallerTurn) -> Attempt:
        """Draw a phrase for a tool call that comes first; the move is decided when the turn has ended."""
        return _PhraseAttempt(self._book, turn, self._duration)


class _PhraseAttempt:
    def __init__(self, book: PhraseBook, turn: CallerTurn, duration: Callable[[str], float | None]) -> None:
        self._book = book
        self._turn = turn
        self._duration = duration
        during_tool = self._choose(_TOOL_SILENCE_S)
        self.predicted_text = during_tool.text if during_tool else None

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        return self._choose(answer_eta)

    def _choose(self, answer_eta: float | None) -> Preresponse | None:
        """Return a phrase of the best move that has one."""
        for move in self._turn.moves(answer_eta):
            if move is Move.NOTHING:
                break
            if phrases := self._book.fresh(move, self._turn.recent, is_certain=self._turn.is_certain):
                return Preresponse(self._in_time(phrases, answer_eta), "phrase", move=move)
        return None

    def _in_time(self, phrases: Sequence[str], answer_eta: float | None) -> str:
        measured = [(duration, phrase) for phrase in phrases if (duration := self._duration(phrase)) is not None]
        # Without audio, a phrase has to be synthesised while the caller waits.
        durations = measured or [(0.0, phrase) for phrase in phrases]
        shortest = min(durations)[1]
        fitting = (phrase for duration, phrase in durations if answer_eta is None or duration <= answer_eta)
        return next(fitting, shortest)

    async def aclose(self) -> None:
        pass


#: Moves for which a model finds better words than a list.
_WORDED_MOVES = frozenset({Move.LOOK_UP, Move.MOMENT, Move.SYMPATHY, Move.LISTEN})


class ModelStrategy:
    """Speak the fast model's own sentence; a phrase if the sentence is late or fails the guard.

    Args:
        fast_llm: The fast model.
        phrases: The strategy that takes its place.
        synthesize: Starts the synthesis of a text; ``None`` for a session without audio.
        prompt: The fast model's system prompt.
        budget_s: How long the caller waits for the fast model after the end of the turn. ``None``: until the answer
            is there.
        report_usage: Receives requests that end before the provider reports their usage.
    """

    def __init__(
        self,
        fast_llm: llm.LLM[Any],
        phrases: PhraseStrategy,
        synthesize: Callable[[str], AsyncIterable[rtc.AudioFrame] | None],
        prompt: str = fast_reply.DEFAULT_PRERESPONSE_PROMPT,
        budget_s: float | None = None,
        report_usage: Callable[[UnreportedUsage], None] = lambda _: None,
    ) -> None:
        self.name = "llm" if budget_s is None else "hybrid"
        self.fast_llm = fast_llm
        self.phrases = phrases
        self.synthesize = synthesize
        self.prompt = prompt
        self.budget_s = budget_s
        self.report_usage = report_usage

    def begin(self, turn: CallerTurn) -> Attempt:
        """Ask the fast model for the wanted move; not for silence, nor for a word, of which there are phrases."""
        return _ModelAttempt(self, turn) if turn.move in _WORDED_MOVES else self.phrases.begin(turn)


class _ModelAttempt:
    def __init__(self, strategy: ModelStrategy, turn: CallerTurn) -> None:
        self._phrase = strategy.phrases.begin(turn)
        self.predicted_text = self._phrase.predicted_text
        self._strategy = strategy
        self._turn = turn
        request = fast_reply.request(strategy.prompt, turn.text, turn.move)
        self._reply = fast_reply.FastReply(strategy.fast_llm, request, turn.trace, strategy.report_usage)
        self._speech: PendingSpeech | None = None
        self._sentence = asyncio.create_task(self._prepare_sentence(), name="preresponse_sentence")

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        if self._turn.moves(answer_eta)[0].group is not self._turn.move.group:  # the answer is nearer than it seemed
            return await self._phrase.select(answer_eta)
        await asyncio.wait([self._sentence], timeout=self._strategy.budget_s)
        if self._sentence.done() and (preresponse := self._sentence.result()):
            self._speech = None  # it belongs to the reply now, and outlives this attempt
            return preresponse
        return await self._phrase.select(answer_eta)

    async def _prepare_sentence(self) -> Preresponse | None:
        sentence = await self._reply.sentence
        if not sentence:
            return None
        turn = self._turn
        problem = guard.problem_with(
            sentence,
            said=turn.text,
            language=turn.language,
            recent=turn.recent,
            move=turn.move,
        )
        if problem:
            logger.debug("the fast model's sentence is not spoken: %s", problem)
            return None
        if (frames := self._strategy.synthesize(sentence)) is None:  # text only
            return Preresponse(sentence, "llm", move=turn.move)
        self._speech = PendingSpeech(sentence, frames, turn.trace)
        return Preresponse(sentence, "llm", self._speech, turn.move) if await self._speech.ready else None

    async def aclose(self) -> None:
        tasks = [self._sentence, self._reply.task, *([self._speech.task] if self._speech else [])]
        await utils.aio.cancel_and_wait(*tasks)


@dataclass(frozen=True)
class StrategyFactory:
    """Makes the strategies that a setting can name.

    Attributes:
        phrases: The phrases.
        duration: Returns how long a phrase takes to speak, seconds, or ``None``.
        fast_llm: The fast model, needed by ``llm`` and ``hybrid``.
        synthesize: See ``ModelStrategy``.
        prompt: The fast model's system prompt.
        hybrid_budget_s: How long ``hybrid`` makes the caller wait for the fast model.
        report_usage: See ``ModelStrategy``.
    """

    phrases: PhraseBook
    duration: Callable[[str], float | None]
    fast_llm: llm.LLM[Any] | None
    synthesize: Callable[[str], AsyncIterable[rtc.AudioFrame] | None]
    prompt: str
    hybrid_budget_s: float
    report_usage: Callable[[UnreportedUsage], None]

    def make(self, name: StrategyName | str) -> Strategy | None:
        """Return the strategy of this name; ``None`` for ``off``.

        Raises:
            ValueError: If the name is unknown, or the strategy needs a fast model and there is none.
        """
        if name == "off":
            return None
        phrase_strategy = PhraseStrategy(self.phrases, self.duration)
        if name == "phrase":
            return phrase_strategy
        if name not in ("llm", "hybrid"):
            raise ValueError(f"no strategy {name!r}: use llm, phrase, hybrid or off")
        if self.fast_llm is None:
            raise ValueError(f"strategy {name!r} needs a fast_llm")
        budget_s = self.hybrid_budget_s if name == "hybrid" else None
        return ModelStrategy(self.fast_llm, phrase_strategy, self.synthesize, self.prompt, budget_s, self.report_usage)
