"""What is said at once: a phrase that fits, the fast model's own words, or the better of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import llm, utils

from agent_worker.audio.tts_stream import Speech
from agent_worker.core.log import logger
from agent_worker.preresponse import fast_reply
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.text import guard
from agent_worker.text.intent import Intent


@dataclass(frozen=True)
class Preresponse:
    """What is said before the answer.

    Attributes:
        text: One short sentence.
        source: ``llm`` or ``phrase``.
        speech: Its audio, if it is being made already.
    """

    text: str
    source: str
    speech: Speech | None = None


@dataclass(frozen=True)
class CallerTurn:
    """What a strategy knows of the turn: the caller's words, what they are, and what was said in the last turns.

    Attributes:
        alternatives: What they may be as well as ``intent``, the likeliest first.
    """

    text: str
    intent: Intent
    language: str
    recent: Sequence[str]
    trace: TurnTrace
    alternatives: tuple[Intent, ...] = ()


class Attempt(Protocol):
    """The search for the pre-response of one turn. It may begin before the turn is known to have ended."""

    predicted_text: str | None
    """What will be said, or something like it: the main model is told. ``None`` if there is no telling."""

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        """What to say, asked once the turn has ended: every moment of this is silence for the caller.

        Args:
            answer_eta: Seconds until the answer is expected; ``None`` if there is no telling.
        """

    async def aclose(self) -> None:
        """The turn is over or was interrupted."""


class Strategy(Protocol):
    """Where pre-responses come from. Write one of your own and hand it to ``PreResponseAgent``."""

    name: str

    def begin(self, turn: CallerTurn) -> Attempt:
        """Called when the caller's words are known, often before the turn is known to have ended."""


class PhraseStrategy:
    """A phrase that fits what the caller said. Its audio is there already: nothing is faster.

    Args:
        book: The phrases.
        seconds: How long a phrase takes to speak, if that is known: one that has ended when the answer is there
            is preferred.
    """

    name = "phrase"

    def __init__(self, book: PhraseBook, seconds: Callable[[str], float | None] = lambda _: None) -> None:
        self._book = book
        self._seconds = seconds

    def begin(self, turn: CallerTurn) -> Attempt:
        return _PhraseAttempt(self._book.fresh(turn.intent, turn.recent, turn.alternatives), self._seconds)


class _PhraseAttempt:
    def __init__(self, phrases: Sequence[str], seconds: Callable[[str], float | None]) -> None:
        self.predicted_text = next(iter(phrases), None)
        self._phrases = phrases
        self._seconds = seconds

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        if self.predicted_text is None:
            return None
        lengths = [(self._seconds(phrase) or 0.0, phrase) for phrase in self._phrases]
        fits = (phrase for length, phrase in lengths if answer_eta is None or length <= answer_eta)
        return Preresponse(next(fits, min(lengths)[1]), "phrase")

    async def aclose(self) -> None:
        pass


class ModelStrategy:
    """The fast model's own words, checked; a phrase if they must not be spoken, or are not there in time.

    Args:
        fast_llm: The fast model.
        phrases: What to say instead.
        speak: Starts the synthesis of a text.
        prompt: The fast model's system prompt.
        budget: How long the caller is made to wait for the fast model after the end of the turn, seconds.
            ``None``: as long as it takes; the engine stops waiting when the answer is there.
    """

    def __init__(
        self,
        fast_llm: llm.LLM[Any],
        phrases: PhraseStrategy,
        speak: Callable[[str], AsyncIterable[rtc.AudioFrame] | None],
        prompt: str = fast_reply.DEFAULT_PRERESPONSE_PROMPT,
        budget: float | None = None,
    ) -> None:
        self.name = "llm" if budget is None else "hybrid"
        self.fast_llm = fast_llm
        self.phrases = phrases
        self.speak = speak
        self.prompt = prompt
        self.budget = budget

    def begin(self, turn: CallerTurn) -> Attempt:
        return _ModelAttempt(self, turn)


class _ModelAttempt:
    def __init__(self, strategy: ModelStrategy, turn: CallerTurn) -> None:
        self._phrase = strategy.phrases.begin(turn)
        self.predicted_text = self._phrase.predicted_text
        self._strategy = strategy
        self._turn = turn
        request = fast_reply.request(strategy.prompt, turn.text)
        self._reply = fast_reply.FastReply(strategy.fast_llm, request, turn.trace)
        self._speech: Speech | None = None
        self._own_words = asyncio.create_task(self._make_own_words(), name="preresponse_words")

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        await asyncio.wait([self._own_words], timeout=self._strategy.budget)
        if self._own_words.done() and (own_words := self._own_words.result()):
            self._speech = None  # it belongs to the reply now, and may go on when this attempt is over
            return own_words
        return await self._phrase.select(answer_eta)

    async def _make_own_words(self) -> Preresponse | None:
        sentence = await self._reply.sentence
        if not sentence:
            return None
        turn = self._turn
        problem = guard.problem_with(
            sentence,
            said=turn.text,
            language=turn.language,
            recent=turn.recent,
            intent=turn.intent,
            alternatives=turn.alternatives,
        )
        if problem:
            logger.debug("the fast model's sentence is not spoken: %s", problem)
            return None
        if (frames := self._strategy.speak(sentence)) is None:  # text only
            return Preresponse(sentence, "llm")
        self._speech = Speech(sentence, frames, turn.trace)
        return Preresponse(sentence, "llm", self._speech) if await self._speech.ready else None

    async def aclose(self) -> None:
        tasks = [self._own_words, self._reply.task, *([self._speech.task] if self._speech else [])]
        await utils.aio.cancel_and_wait(*tasks)
