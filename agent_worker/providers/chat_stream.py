"""Repair the streams of services with OpenAI's chat completions API, which differ from it.

Three things come out of it as livekit-agents expects them:

- **Reasoning**, in a field of its own (``reasoning``, ``reasoning_content``) or in tags in the text. Its length is
  passed on and not its text, so that whoever waits for the answer knows that the model is at work.
- **Tool calls**, each whole, with an index and an id of its own: Ollama numbers parallel ones alike, others send no
  ``finish_reason``, or end with ``length``.
- **Usage**: the part of it that is reasoning, estimated where the service counts it without telling.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from livekit.agents import llm
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import (
    Choice,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
)
from openai.types.completion_usage import CompletionTokensDetails

from agent_worker.core.compat.livekit import on_chat_stream
from agent_worker.core.progress import REASONING_CHARS_KEY, TOOL_CALL_KEY
from agent_worker.text.reasoning import ReasoningFilter

_REASONING_FIELDS = ("reasoning", "reasoning_content", "thinking")

LLMT = TypeVar("LLMT", bound=llm.LLM[Any])


def with_repaired_streams(model: LLMT) -> LLMT:
    """Repair all streams of a model of livekit's OpenAI plugin, from now on.

    Args:
        model: An ``LLM`` of that plugin, or of one that builds on it, such as Groq's.

    Returns:
        The model itself.
    """
    habit = _Habit()
    on_chat_stream(model, lambda stream: RepairedStream(stream, habit))
    return model


@dataclass
class _Habit:
    """Whether a model's answers begin with reasoning that has no opening tag."""

    starts_inside: bool = False


class RepairedStream:
    """A stream of chat completion chunks, repaired.

    Args:
        stream: The stream of the client.
        habit: What the model's earlier answers have shown.
    """

    def __init__(self, stream: Any, habit: _Habit | None = None) -> None:
        self._stream = stream
        self._habit = habit or _Habit()

    async def __aenter__(self) -> RepairedStream:
        """Open the stream."""
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the stream."""
        await self._stream.__aexit__(error_type, error, traceback)

    async def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        """Yield the chunks; whatever is not shaped like one is passed on as it is."""
        reply = _Reply(self._habit)
        async for chunk in self._stream:
            yield reply.repaired(chunk)
        if (last := reply.unfinished()) is not None:
            yield last


class _Reply:
    """One reply of a model."""

    def __init__(self, habit: _Habit) -> None:
        self._habit = habit
        self._reasoning = ReasoningFilter(starts_inside=habit.starts_inside)
        self._calls = ToolCalls()
        self._reasoning_chars = self._answer_chars = 0
        self._id = ""
        self._has_finished = False

    def repaired(self, chunk: ChatCompletionChunk) -> ChatCompletionChunk:
        """Repair a chunk in place."""
        self._id = getattr(chunk, "id", "") or self._id
        for choice in chunk.choices or ():
            if isinstance(choice, Choice) and isinstance(choice.delta, ChoiceDelta):
                self._repair(choice)
        if isinstance(chunk.usage, CompletionUsage):
            self._tell_reasoning(chunk.usage)
        return chunk

    def unfinished(self) -> ChatCompletionChunk | None:
        """Return what is left at the end of a stream that did not say that it ends."""
        if self._has_finished:
            return None
        choice = Choice(index=0, delta=ChoiceDelta(), finish_reason=None)
        self._finish(choice)
        if not choice.delta.content and not choice.delta.tool_calls:
            return None
        return ChatCompletionChunk(id=self._id, choices=[choice], created=0, model="", object="chat.completion.chunk")

    def _repair(self, choice: Choice) -> None:
        delta = choice.delta
        before = self._reasoning.reasoning_chars
        field_chars = _reasoning_field_chars(delta)
        if isinstance(delta.content, list):
            delta.content, thinking_chars = _text_of_parts(delta.content)
            field_chars += thinking_chars
        if isinstance(delta.content, str):
            delta.content = self._reasoning.push(delta.content)
            self._answer_chars += len(delta.content)
        writes_tool_call = bool(delta.tool_calls)
        for piece in delta.tool_calls or ():
            self._calls.add(piece)
        delta.tool_calls = None
        if choice.finish_reason is not None:
            self._finish(choice)
        chars = field_chars + self._reasoning.reasoning_chars - before
        self._reasoning_chars += chars
        if marks := _marks(chars, writes_tool_call and not delta.tool_calls):
            given = getattr(delta, "extra_content", None)
            delta.extra_content = {**(given if isinstance(given, dict) else {}), **marks}  # type: ignore[attr-defined]

    def _finish(self, choice: Choice) -> None:
        """Add what was held back to the last chunk of the reply."""
        self._has_finished = True
        rest = self._reasoning.flush()
        self._habit.starts_inside = self._reasoning.starts_inside
        self._answer_chars += len(rest)
        if rest:
            choice.delta.content = (choice.delta.content or "") + rest
        if calls := self._calls.complete():
            choice.delta.tool_calls = calls
            choice.finish_reason = "tool_calls"  # livekit-agents drops a call if the reply ends in another way
        elif choice.finish_reason is None:
            choice.finish_reason = "stop"

    def _tell_reasoning(self, usage: CompletionUsage) -> None:
        """Put the share of the reasoning into a usage that does not tell it."""
        details = usage.completion_tokens_details
        if getattr(details, "reasoning_tokens", None) or not self._reasoning_chars:
            return
        if not isinstance(usage.completion_tokens, int):
            return
        share = self._reasoning_chars / (self._reasoning_chars + self._answer_chars)
        tokens = round(usage.completion_tokens * share)
        usage.completion_tokens_details = CompletionTokensDetails(reasoning_tokens=tokens)


@dataclass
class _Call:
    index: int | None
    id: str
    name: str
    arguments: str = ""
    extra: Any = None

    @property
    def is_whole(self) -> bool:
        try:
            json.loads(self.arguments)
        except ValueError:
            return False
        return True


class ToolCalls:
    """Puts the pieces of tool calls together, however they are numbered."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def add(self, piece: Any) -> None:
        """Add a piece: the beginning of a call, or more of its arguments."""
        if not isinstance(piece, ChoiceDeltaToolCall) or piece.function is None:
            return
        name, arguments = piece.function.name or "", piece.function.arguments
        call = self._call_of(piece, name)
        if call is None:
            if not name:
                return
            call = _Call(piece.index, piece.id or "", name, extra=getattr(piece, "extra_content", None))
            self._calls.append(call)
        if isinstance(arguments, str):
            call.arguments += arguments
        elif isinstance(arguments, dict):  # as Ollama's own API has them
            call.arguments += json.dumps(arguments)

    def complete(self) -> list[ChoiceDeltaToolCall]:
        """Return the calls, and forget them."""
        calls, self._calls = self._calls, []
        return [_whole(index, call) for index, call in enumerate(calls)]

    def _call_of(self, piece: ChoiceDeltaToolCall, name: str) -> _Call | None:
        """Return the call that a piece continues; ``None`` if it begins one."""
        if piece.id and (same := next((call for call in self._calls if call.id == piece.id), None)):
            return same
        numbered = [call for call in self._calls if call.index == piece.index]
        candidates = numbered or self._calls
        if not candidates:
            return None
        last = candidates[-1]
        if not name:
            return last
        # A name begins a call. Services that repeat it in every piece do so in the middle of the arguments.
        is_repeated = not piece.id and name == last.name and bool(numbered) and not last.is_whole
        return last if is_repeated else None


def _whole(index: int, call: _Call) -> ChoiceDeltaToolCall:
    function = ChoiceDeltaToolCallFunction(name=call.name, arguments=call.arguments)
    piece = ChoiceDeltaToolCall(
        index=index, id=call.id or f"call_{uuid.uuid4().hex[:12]}", function=function, type="function"
    )
    if call.extra is not None:
        piece.extra_content = call.extra  # type: ignore[attr-defined]
    return piece


def _reasoning_field_chars(delta: ChoiceDelta) -> int:
    fields = (getattr(delta, name, None) for name in _REASONING_FIELDS)
    return next((len(text) for text in fields if isinstance(text, str) and text), 0)


def _text_of_parts(parts: list[Any]) -> tuple[str, int]:
    """Return the text of a content in parts, as Mistral sends it, and the length of its reasoning."""
    text, thinking_chars = "", 0
    for part in parts:
        if isinstance(part, str):
            text += part
        elif isinstance(part, dict) and part.get("type") == "thinking":
            thinking_chars += len(str(part.get("thinking") or ""))
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            text += part["text"]
    return text, thinking_chars


def _marks(reasoning_chars: int, writes_tool_call: bool) -> dict[str, Any]:
    marks: dict[str, Any] = {}
    if reasoning_chars:
        marks[REASONING_CHARS_KEY] = reasoning_chars
    if writes_tool_call:
        marks[TOOL_CALL_KEY] = True
    return marks
