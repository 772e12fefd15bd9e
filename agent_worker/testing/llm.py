"""An LLM that replies with given text, at the moment that the test chooses."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, llm


class ScriptedLLM(llm.LLM[Any]):
    """Replies with the given pieces of text, one chunk each.

    Args:
        pieces: Text of each chunk. A ``ChoiceDelta`` is sent as it is, an exception is raised in its place, at each
            attempt, and an event is waited for.
        gate: If given, nothing is sent before it is set.
        tool_call: Sent instead of a reply to the first request.

    Attributes:
        requests: The requests so far.
        asked: Set with each request.
        attempts: Number of attempts, retries included.
        cancelled: Number of requests that were cancelled before their end.
    """

    def __init__(
        self,
        *pieces: str | llm.ChoiceDelta | Exception | asyncio.Event,
        gate: asyncio.Event | None = None,
        tool_call: llm.FunctionToolCall | None = None,
    ) -> None:
        super().__init__()
        self.pieces = pieces
        self.gate = gate
        self.tool_call = tool_call
        self.requests: list[llm.ChatContext] = []
        self.asked = asyncio.Event()
        self.attempts = 0
        self.cancelled = 0

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **_: Any,
    ) -> llm.LLMStream:
        """Start a reply."""
        self.requests.append(chat_ctx.copy())
        self.asked.set()
        return _ScriptedStream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _ScriptedStream(llm.LLMStream):
    async def _run(self) -> None:
        script: ScriptedLLM = self._llm  # type: ignore[assignment]
        script.attempts += 1
        try:
            await self._reply(script)
        except asyncio.CancelledError:
            script.cancelled += 1
            raise
        usage = llm.CompletionUsage(prompt_tokens=10, completion_tokens=len(script.pieces), total_tokens=10)
        self._event_ch.send_nowait(llm.ChatChunk(id="scripted", usage=usage))

    async def _reply(self, script: ScriptedLLM) -> None:
        if script.gate is not None:
            await script.gate.wait()
        if script.tool_call is not None and len(script.requests) == 1:
            self._send(llm.ChoiceDelta(role="assistant", tool_calls=[script.tool_call]))
            return
        for piece in script.pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, asyncio.Event):
                await piece.wait()
                continue
            self._send(llm.ChoiceDelta(role="assistant", content=piece) if isinstance(piece, str) else piece)
            await asyncio.sleep(0)  # as between two packets

    def _send(self, delta: llm.ChoiceDelta) -> None:
        self._event_ch.send_nowait(llm.ChatChunk(id="scripted", delta=delta))
