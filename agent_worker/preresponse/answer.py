"""Read the answer while the pre-response is decided and spoken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import Any

from livekit.agents import llm, utils

from agent_worker.core.log import logger
from agent_worker.preresponse.fast_reply import sentences
from agent_worker.preresponse.first_word import Chunk, text_of
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.text.preamble import PreambleFilter
from agent_worker.text.pronounceable import is_pronounceable
from agent_worker.text.sanitize import MAX_ANSWER_CHARS, MAX_SENTENCE_CHARS, strip_surrogates


class Answer:
    """The answer, read from the moment this is created.

    Args:
        source: The chunks of the model that answers, such as those of ``first_word.FirstWord``, which limits the time
            to the first of them.
        trace: Gets the times of the request and of the first token.
        timeout_s: How long the model may pause once it has begun, before the answer counts as failed. ``None``:
            without limit. It also holds while a model that has spoken writes a tool call.
        clock: Monotonic time in seconds.

    Attributes:
        begun: Resolves when the model has sent its first text or tool call; never if it sends neither.
        speakable: Resolves when a first sentence is there, or at the end of the answer if it is not just a tool call:
            from then on a pre-response would only delay the answer.
        calls_tool: Resolves when the model has called a tool.
        text: The answer so far.
        failed: Whether the model failed or timed out.
        task: The reader.
    """

    def __init__(
        self,
        source: AsyncIterable[Any],
        trace: TurnTrace,
        timeout_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.speakable: asyncio.Future[None] = loop.create_future()
        self.calls_tool: asyncio.Future[None] = loop.create_future()
        self.text = ""
        self.failed = False
        self._trace = trace
        self._clock = clock
        self._chunks = utils.aio.Chan[Chunk]()
        trace.main_request = trace.main_request or clock()
        self._last_content_at: float | None = None
        self.task = asyncio.create_task(self._read_with_timeout(source, timeout_s), name="answer")
        self.task.add_done_callback(self._on_done)

    @property
    def only_calls_tools(self) -> bool:
        """Whether the model said nothing and called a tool: the reply follows in a later pass. Known at the end."""
        return self.calls_tool.done() and not is_pronounceable(self.text) and not self.failed

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to speak and the model called no tool. Known at the end."""
        return not is_pronounceable(self.text) and not self.calls_tool.done()

    async def chunks(self, preamble: PreambleFilter | None = None) -> AsyncIterator[Chunk]:
        """Yield the model's chunks.

        Args:
            preamble: Removes what would repeat the pre-response, if one came before the answer.
        """
        async for chunk in self._chunks:
            if preamble and isinstance(chunk, llm.ChatChunk) and chunk.delta and chunk.delta.tool_calls:
                preamble.on_tool_call()
            if preamble is None or not isinstance(chunk, llm.ChatChunk) or not text_of(chunk):
                yield chunk
            elif (text := preamble.push(text_of(chunk))) or (chunk.delta and chunk.delta.tool_calls):
                yield _with_text(chunk, text)
        if preamble and (rest := preamble.flush()):
            yield rest

    async def _read_with_timeout(self, source: AsyncIterable[Any], timeout_s: float | None) -> None:
        """Read the source; mark the answer as failed when the model goes silent, whatever its client does then."""
        reading = asyncio.create_task(self._read(source), name="answer_reading")
        try:
            while not reading.done():
                left_s = self._left_s(timeout_s)
                if left_s is not None and left_s <= 0:
                    logger.error("the model sent nothing for %.1f s: its answer counts as failed", timeout_s)
                    self.failed = True
                    return
                await asyncio.wait([reading, *self._until_begun()], timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            await reading
        finally:
            await utils.aio.cancel_and_wait(reading)

    def _left_s(self, timeout_s: float | None) -> float | None:
        if timeout_s is None or self._last_content_at is None:
            return None
        return self._last_content_at + timeout_s - self._clock()

    def _until_begun(self) -> list[asyncio.Future[None]]:
        return [] if self.begun.done() else [self.begun]

    async def _read(self, source: AsyncIterable[Any]) -> None:
        try:
            async for chunk in source:
                self._take(chunk)
                if len(self.text) >= MAX_ANSWER_CHARS:
                    logger.warning("an answer is cut off after %d characters", MAX_ANSWER_CHARS)
                    if isinstance(source, AsyncGenerator):
                        await source.aclose()
                    break
        except Exception as error:
            # Not the error's text: providers quote the caller in it.
            status = getattr(error, "status_code", "")
            logger.error("the answer failed: %s %s", type(error).__name__, status)
            self.failed = True

    def _take(self, chunk: Chunk) -> None:
        received = text_of(chunk)
        text = strip_surrogates(received)[: MAX_ANSWER_CHARS - len(self.text)]
        self._chunks.send_nowait(chunk if text == received else _with_text(chunk, text))
        calls_tool = isinstance(chunk, llm.ChatChunk) and bool(chunk.delta and chunk.delta.tool_calls)
        if calls_tool:
            self._trace.uses_tools = True
            if not self.calls_tool.done():
                self.calls_tool.set_result(None)
        if text or calls_tool:
            self._last_content_at = self._clock()
            if not self.begun.done():
                self.begun.set_result(None)
        if text:
            self.text += text
            self._trace.main_first_token = self._trace.main_first_token or self._clock()
            is_long = len(self.text) > MAX_SENTENCE_CHARS
            if not self.speakable.done() and (is_long or len(sentences(self.text)) > 1):
                self.speakable.set_result(None)

    def _on_done(self, _: asyncio.Task[None]) -> None:
        if not self.speakable.done() and not self.only_calls_tools:
            self.speakable.set_result(None)
        self._chunks.close()


def _with_text(chunk: Chunk, text: str) -> Chunk:
    if not isinstance(chunk, llm.ChatChunk):
        return text
    assert chunk.delta is not None
    return chunk.model_copy(update={"delta": chunk.delta.model_copy(update={"content": text or None})})
