"""The main model's answer, on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Any

from livekit.agents import FlushSentinel, llm, utils

from agent_worker.core.log import logger
from agent_worker.preresponse.fast_reply import sentences
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.telemetry.unreported_usage import UsageTracker
from agent_worker.text.preamble import PreambleFilter
from agent_worker.text.sanitize import MAX_ANSWER_CHARS, MAX_SENTENCE_CHARS, strip_surrogates

Chunk = llm.ChatChunk | str | FlushSentinel


class Answer:
    """The main model's answer, on its way from the moment this is made.

    ``speakable`` is done once a first sentence is there, or the end if it is not just a tool call: from then on a
    pre-response would only hold the answer up. ``calls_tool`` is done once the model has called a tool.

    Args:
        answer_timeout: Seconds in which it has to begin, and then to go on. After that it has failed. A model that has
            spoken and then calls a tool may be silent for as long as it takes to write the arguments.
    """

    def __init__(
        self,
        source: AsyncIterable[Any],
        timeline: TurnTrace,
        asked: llm.ChatContext,
        answer_timeout: float | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.speakable: asyncio.Future[None] = loop.create_future()
        self.calls_tool: asyncio.Future[None] = loop.create_future()
        self.text = ""
        self.failed = False
        self._watch = UsageTracker("main", asked, timeline.on_cut_off)
        self._timeline = timeline
        self._chunks = utils.aio.Chan[Chunk]()
        timeline.main_request = timeline.main_request or timeline.now()
        self._last_taken = timeline.now()
        self.task = asyncio.create_task(self._read_in_time(source, answer_timeout), name="answer")
        self.task.add_done_callback(self._finish)

    @property
    def only_calls_tools(self) -> bool:
        """Known at the end: nothing was said, and what the tools find is spoken in a later pass."""
        return self.calls_tool.done() and not self.text.strip() and not self.failed

    @property
    def empty(self) -> bool:
        """Known at the end: nothing was said and no tool was called."""
        return not self.text.strip() and not self.calls_tool.done()

    async def chunks(self, strip_preamble_in: str | None = None) -> AsyncIterator[Chunk]:
        """What the model says and calls.

        Args:
            strip_preamble_in: Language whose empty openings are left out, because somebody has spoken already.
        """
        opening = PreambleFilter(strip_preamble_in) if strip_preamble_in else None
        async for chunk in self._chunks:
            if opening is None or not isinstance(chunk, llm.ChatChunk) or not _text(chunk):
                yield chunk
            elif (said := opening.push(_text(chunk))) or (chunk.delta and chunk.delta.tool_calls):
                yield _with_text(chunk, said)
        if opening and (held := opening.flush()):
            yield held

    async def _read_in_time(self, source: AsyncIterable[Any], answer_timeout: float | None) -> None:
        """Nobody may be left waiting by a model that says nothing, whatever its client makes of that."""
        reading = asyncio.create_task(self._read(source), name="answer_reading")
        try:
            while not reading.done():
                left = None if answer_timeout is None else self._last_taken + answer_timeout - self._timeline.now()
                if left is not None and left <= 0:
                    logger.error("no answer, or no more of it: nothing within %.1f s", answer_timeout)
                    self.failed = True
                    return
                await asyncio.wait([reading], timeout=left)
            await reading
        finally:
            await utils.aio.cancel_and_wait(reading)

    async def _read(self, source: AsyncIterable[Any]) -> None:
        try:
            async for chunk in source:
                self._take(chunk)
                if len(self.text) >= MAX_ANSWER_CHARS:
                    logger.warning("an answer is cut off: longer than %d characters", MAX_ANSWER_CHARS)
                    self._watch.cut_off()
                    if isinstance(source, AsyncGenerator):
                        await source.aclose()
                    break
        except asyncio.CancelledError:
            self._watch.cut_off()
            raise
        except Exception as error:
            self._watch.cut_off()
            # Not the error's text: providers put what the caller said into it.
            logger.error("no answer: main model failed: %s %s", type(error).__name__, getattr(error, "status_code", ""))
            self.failed = True

    def _take(self, chunk: Chunk) -> None:
        received = _text(chunk)
        text = strip_surrogates(received)[: MAX_ANSWER_CHARS - len(self.text)]
        self._chunks.send_nowait(chunk if text == received else _with_text(chunk, text))
        self._watch.take(text, usage_told=isinstance(chunk, llm.ChatChunk) and chunk.usage is not None)
        if calls_tool := isinstance(chunk, llm.ChatChunk) and bool(chunk.delta and chunk.delta.tool_calls):
            self._timeline.uses_tools = True
            if not self.calls_tool.done():
                self.calls_tool.set_result(None)
        if text or calls_tool:
            self._last_taken = self._timeline.now()
        if text:
            self.text += text
            self._timeline.main_first_token = self._timeline.main_first_token or self._timeline.now()
            long = len(self.text) > MAX_SENTENCE_CHARS
            if not self.speakable.done() and (long or len(sentences(self.text)) > 1):
                self.speakable.set_result(None)

    def _finish(self, _: asyncio.Task[None]) -> None:
        if not self.speakable.done() and not self.only_calls_tools:
            self.speakable.set_result(None)
        self._chunks.close()


def _text(chunk: Chunk) -> str:
    if isinstance(chunk, llm.ChatChunk):
        return (chunk.delta.content if chunk.delta else None) or ""
    return chunk if isinstance(chunk, str) else ""


def _with_text(chunk: Chunk, text: str) -> Chunk:
    if not isinstance(chunk, llm.ChatChunk):
        return text
    assert chunk.delta is not None
    return chunk.model_copy(update={"delta": chunk.delta.model_copy(update={"content": text or None})})
