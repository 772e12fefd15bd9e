"""Find the model that answers: the main model, or another if the first says no word that a caller could hear.

A tool call that the model wrote as text is made a call. If it cannot run, another model is asked.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from livekit.agents import APIConnectionError, FlushSentinel, llm, utils

from agent_worker.core.log import logger
from agent_worker.core.progress import PROGRESS_KEYS, REASONING_CHARS_KEY, TOOL_CALL_KEY
from agent_worker.preresponse.tool_calls import as_function_call, with_checked_arguments
from agent_worker.telemetry.unreported_usage import Role, UnreportedUsage, UsageTracker
from agent_worker.text.reasoning import ReasoningFilter
from agent_worker.text.sanitize import MAX_ANSWER_CHARS
from agent_worker.text.speakable import Speakable
from agent_worker.text.tool_text import ToolText

Chunk = llm.ChatChunk | str | FlushSentinel


class Wordless(str, Enum):
    """Why a model is not the one that answers."""

    FAILED = "failed"
    SILENT = "silent"  #: sent nothing in time
    THINKING = "thinking"  #: was at work for too long
    EMPTY = "empty"  #: ended, and nothing that it sent can be spoken or called

    __str__ = str.__str__


@dataclass(frozen=True)
class Candidate:
    """A model that may answer.

    Attributes:
        role: Whose usage it is.
        ask: Sends the request and returns the chunks of the reply.
        silence_s: How long it may take to show that it is at work, from the request on; ``None``: without limit. It
            also limits the pauses while the model writes a tool call.
        thinking_s: How long it may be at work before its first word, from the request on; ``None``: without limit.
        replaced_if: For which reasons the next candidate is asked.
    """

    role: Role
    ask: Callable[[], AsyncIterable[Any]]
    silence_s: float | None = None
    thinking_s: float | None = None
    replaced_if: frozenset[Wordless] = frozenset(Wordless)


@dataclass
class ReasoningHabits:
    """Which models begin their answers with reasoning that has no opening tag, as far as this call has shown."""

    starts_inside: dict[Role, bool] = field(default_factory=dict)

    def filter_of(self, role: Role) -> ReasoningFilter:
        """Return a filter for the next answer of a model."""
        return ReasoningFilter(starts_inside=self.starts_inside.get(role, False))

    def learn(self, role: Role, reasoning: ReasoningFilter) -> None:
        """Note how an answer began."""
        self.starts_inside[role] = reasoning.starts_inside


class FirstWord:
    """The chunks of the first candidate that says a word or calls a tool; without reasoning, to its end.

    Whatever a model sends before its first word is kept back with it, so that nothing is heard of one that is replaced.

    Args:
        candidates: The models, the first asked first.
        request: What they are asked, for the estimate of unreported usage.
        tools_allowed: Whether a tool may be called. Otherwise a tool call is no answer.
        tools: Names of the tools that a model may call in text.
        language: Language tag of the answer.
        habits: What the call has shown of the models so far.
        report_usage: Receives a request that ends before the provider reports its usage.
        on_replaced: Is told the reason when another model is asked.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        request: llm.ChatContext,
        *,
        tools_allowed: bool = True,
        tools: Collection[str] = (),
        language: str = "en",
        habits: ReasoningHabits | None = None,
        report_usage: Callable[[UnreportedUsage], None] = lambda _: None,
        on_replaced: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._candidates = candidates
        self._request = request
        self._tools_allowed = tools_allowed
        self._tools = frozenset(tools if tools_allowed else ())
        self._language = language
        self._habits = habits or ReasoningHabits()
        self._report_usage = report_usage
        self._on_replaced = on_replaced
        self._clock = clock

    async def chunks(self) -> AsyncGenerator[Chunk]:
        """Yield the answer.

        Raises:
            APIConnectionError: If the last model that was asked failed, or did not begin in time.
        """
        for number, candidate in enumerate(self._candidates, 1):
            reply = self._reply_of(candidate)
            try:
                async with aclosing(reply.chunks()) as chunks:
                    async for chunk in chunks:
                        yield chunk
            finally:
                await reply.aclose()
            if reply.why_wordless is None and not reply.only_tried_to_call:
                return
            reason = reply.why_wordless or Wordless.EMPTY
            is_last = number == len(self._candidates) or reason not in candidate.replaced_if
            logger.warning(
                "the %s model gave no answer (%s): %s",
                candidate.role,
                "a tool call that cannot run" if reply.only_tried_to_call else reason,
                "no other is asked" if is_last else "another answers",
            )
            if not is_last:
                self._on_replaced(reason.value)
                if reply.why_wordless is None:
                    yield _chunk(" ")  # the other model continues what was said
                continue
            if reason is not Wordless.EMPTY:
                raise APIConnectionError(f"no model said a word ({reason})", retryable=False)
            return

    def _reply_of(self, candidate: Candidate) -> _Reply:
        return _Reply(
            candidate,
            self._request,
            self._tools_allowed,
            ToolText(self._tools),
            Speakable(self._language, numbers=False),
            self._habits,
            self._report_usage,
            self._clock,
        )


class _TooLateError(Exception):
    """A model has said no word in time. Not a ``TimeoutError``: its client may raise one in the middle of an answer."""


class _Reply:
    """The reply of one candidate.

    Attributes:
        why_wordless: Why it is no answer; ``None`` if it is one. Known at the end of ``chunks``.
        calls_tool: Whether it has called a tool.
    """

    def __init__(
        self,
        candidate: Candidate,
        request: llm.ChatContext,
        tools_allowed: bool,
        tool_text: ToolText,
        speech: Speakable,
        habits: ReasoningHabits,
        report_usage: Callable[[UnreportedUsage], None],
        clock: Callable[[], float],
    ) -> None:
        self.why_wordless: Wordless | None = Wordless.EMPTY
        self.calls_tool = False
        self._candidate = candidate
        self._tool_text = tool_text
        self._speech = speech
        self._tools_allowed = tools_allowed
        self._habits = habits
        self._clock = clock
        self._reasoning = habits.filter_of(candidate.role)
        self._usage = UsageTracker(candidate.role, request, report_usage)
        self._source = candidate.ask()
        self._asked_at = self._last_chunk_at = clock()
        self._is_at_work = self._writes_tool_call = self._has_ended = False
        self._given: set[tuple[str, str]] = set()
        self._written: set[tuple[str, str]] = set()
        self._held: list[Chunk] = []
        self._held_chars = 0
        self._pending: asyncio.Future[Any] | None = None

    @property
    def only_tried_to_call(self) -> bool:
        """Whether it wrote a tool call that cannot run, and made none that can."""
        return self._tool_text.has_unusable and not self.calls_tool

    async def chunks(self) -> AsyncGenerator[Chunk]:
        """Yield the chunks from the first word on; none if there is no word."""
        try:
            async with aclosing(self._read()) as chunks:
                async for chunk in chunks:
                    if self.why_wordless is None:
                        yield chunk
                        continue
                    self._held.append(chunk)
                    self._held_chars += len(text_of(chunk))
                    if self._held_chars > MAX_ANSWER_CHARS:
                        return
                    if self._has_word(chunk):
                        self.why_wordless = None
                        for held in self._held:
                            yield held
        except _TooLateError:
            self.why_wordless = Wordless.THINKING if self._is_at_work else Wordless.SILENT
        except Exception as error:
            if self.why_wordless is None:
                raise
            # Not the error's text: providers quote the caller in it.
            status = getattr(error, "status_code", "")
            logger.error("the %s model failed: %s %s", self._candidate.role, type(error).__name__, status)
            self.why_wordless = Wordless.FAILED

    async def aclose(self) -> None:
        """End the request. One that is billed and reports no usage is reported."""
        if not self._has_ended:
            self._usage.end_early()
        self._habits.learn(self._candidate.role, self._reasoning)
        if self._pending is not None:
            await utils.aio.cancel_and_wait(self._pending)
        if (aclose := getattr(self._source, "aclose", None)) is not None:
            await aclose()

    async def _read(self) -> AsyncGenerator[Chunk]:
        """Yield what the model sends, without reasoning.

        Raises:
            _TooLateError: If there is no word in time.
        """
        source = aiter(self._source)
        while True:
            self._pending = asyncio.ensure_future(anext(source, None))
            await self._wait_for(self._pending)
            chunk = self._pending.result()
            if chunk is None:
                break
            self._last_chunk_at = self._clock()
            if (cleaned := self._cleaned(chunk)) is not None:
                yield cleaned
        self._has_ended = True
        rest = self._tool_text.push(self._reasoning.flush()) + self._tool_text.flush()
        calls = self._written_calls()
        if rest or calls or self.why_wordless is not None:
            yield _chunk(rest, calls)

    async def _wait_for(self, chunk: asyncio.Future[Any]) -> None:
        while not chunk.done():
            left_s = None if (deadline := self._deadline()) is None else deadline - self._clock()
            if left_s is not None and left_s <= 0:
                raise _TooLateError
            await asyncio.wait([chunk], timeout=left_s)

    def _deadline(self) -> float | None:
        if self.why_wordless is None:
            return None
        if self._writes_tool_call or self._tool_text.is_inside:
            return _after(self._last_chunk_at, self._candidate.silence_s)
        return _after(self._asked_at, self._candidate.thinking_s if self._is_at_work else self._candidate.silence_s)

    def _cleaned(self, chunk: Chunk) -> Chunk | None:
        """Return the chunk without reasoning and without tool calls that cannot run; ``None`` if nothing is left."""
        if isinstance(chunk, str):
            text, calls = self._visible(chunk), self._written_calls()
            return _chunk(text, calls) if calls else text or None
        if not isinstance(chunk, llm.ChatChunk):
            return chunk
        self._usage.add("", has_usage=chunk.usage is not None)
        if (delta := chunk.delta) is None:
            return chunk
        content = self._visible(delta.content) if delta.content else ""
        given = delta.tool_calls if self._tools_allowed else []
        calls = [with_checked_arguments(call) for call in given if _as_key(call) not in self._written]
        self._given.update(map(_as_key, given))
        calls += self._written_calls()
        self.calls_tool = self.calls_tool or bool(calls)
        extra = self._without_progress(delta.extra or {})
        if not (content or calls or extra or chunk.usage):
            return None
        update = {"content": content or None, "tool_calls": calls, "extra": extra or None}
        return chunk.model_copy(update={"delta": delta.model_copy(update=update)})

    def _visible(self, text: str) -> str:
        self._is_at_work = True
        self._usage.add(text, has_usage=False)
        return self._tool_text.push(self._reasoning.push(text))

    def _written_calls(self) -> list[llm.FunctionToolCall]:
        """Return the calls in the text, without those that were made already: models repeat themselves."""
        calls = []
        for call in map(as_function_call, self._tool_text.take_calls()):
            if (key := _as_key(call)) not in self._given | self._written:
                self._written.add(key)
                calls.append(call)
        self.calls_tool = self.calls_tool or bool(calls)
        return calls

    def _has_word(self, chunk: Chunk) -> bool:
        """Whether the reply has a word that is spoken, or calls a tool, by this chunk."""
        if self.calls_tool:
            return True
        spoken = self._speech.push(text_of(chunk))
        if self._has_ended:
            spoken += self._speech.flush()
        return bool(spoken) or self._speech.has_words

    def _without_progress(self, extra: dict[str, Any]) -> dict[str, Any]:
        """Note that the model is at work."""
        if not PROGRESS_KEYS & extra.keys():
            return extra
        self._is_at_work = True
        self._usage.add_chars(extra.get(REASONING_CHARS_KEY, 0))
        self._writes_tool_call = TOOL_CALL_KEY in extra
        return {key: value for key, value in extra.items() if key not in PROGRESS_KEYS}


def _as_key(call: llm.FunctionToolCall) -> tuple[str, str]:
    """Return what two calls have in common that do the same."""
    try:
        return call.name, json.dumps(json.loads(call.arguments or "{}"), sort_keys=True)
    except ValueError:
        return call.name, call.arguments


def _chunk(text: str, calls: Sequence[llm.FunctionToolCall] = ()) -> llm.ChatChunk:
    delta = llm.ChoiceDelta(role="assistant", content=text or None, tool_calls=list(calls))
    return llm.ChatChunk(id=utils.shortuuid("text_"), delta=delta)


def text_of(chunk: Chunk) -> str:
    """Return the text of a chunk."""
    if isinstance(chunk, llm.ChatChunk):
        return (chunk.delta.content if chunk.delta else None) or ""
    return chunk if isinstance(chunk, str) else ""


def _after(instant: float, seconds: float | None) -> float | None:
    return None if seconds is None else instant + seconds
