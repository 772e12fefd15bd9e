"""The pre-response engine: a small model speaks at once while the large one prepares the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Any

from livekit.agents import Agent, FlushSentinel, ModelSettings, llm, tokenize, utils

from agent_worker.log import logger

DEFAULT_PRERESPONSE_PROMPT = (
    "You are the first voice on a phone call. A colleague is preparing the real answer. Show the caller in one short "
    "sentence of at most eight words that you heard them. Fit it to what they said: if they are upset, be sorry with "
    "them; if they thank you, be glad. Do not answer, state no facts or numbers, promise nothing and ask nothing."
)

# Small models follow examples better than rules.
_EXAMPLES = (
    ("What time does the museum open tomorrow?", "Let me think about the museum's opening times."),
    ("Can you tell me about your return policy?", "Let me think about our return policy."),
    ("I am looking for a quiet hotel near the sea.", "Let me think about a quiet hotel."),
    ("How does a refrigerator work?", "Let me think about how a refrigerator works."),
)

ANSWER_NOTE = (
    "Begin with the answer itself, without an introduction: the caller's words have been acknowledged already."
)

#: Key of ``ChatMessage.extra`` under which a reply carries the pre-response that it begins with.
EXTRA_KEY = "preresponse"

_MAX_WORDS = 14
_TOOL_PATIENCE = 1.0  # seconds
_SENTENCES = tokenize.blingfire.SentenceTokenizer(min_sentence_len=1)

Chunk = llm.ChatChunk | str | FlushSentinel


class PreResponseAgent(Agent):
    """An agent whose every reply begins with a short pre-response by a fast model.

    Both models are asked at the same moment. The fast reply is spoken as a segment of its own, then the
    answer, all in one ``SpeechHandle``: barge-in stops both, and the chat history holds what was spoken.
    The turn goes on without a pre-response when the fast model fails, says nothing usable or is so slow that
    the answer's first sentence is there before it.

    Args:
        instructions: The main model's system prompt. A note that somebody speaks before it is added.
        fast_llm: The fast model. ``None`` switches pre-responses off. The main model is the ``llm`` of the
            session or of this agent; it has to be an :class:`livekit.agents.llm.LLM`, no realtime model.
        preresponse_prompt: The fast model's system prompt.
        **options: Everything else that :class:`livekit.agents.Agent` takes.
    """

    def __init__(
        self,
        *,
        instructions: str,
        fast_llm: llm.LLM[Any] | None,
        preresponse_prompt: str = DEFAULT_PRERESPONSE_PROMPT,
        **options: Any,
    ) -> None:
        # In the instructions, and not beside each turn: they stay the same, so the provider can cache them.
        instructions = f"{instructions} {ANSWER_NOTE}" if fast_llm is not None else instructions
        super().__init__(instructions=instructions, **options)
        self.fast_llm = fast_llm
        self._preresponse_prompt = preresponse_prompt

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterable[Chunk]:
        """Yield the pre-response, a flush, then the main model's answer."""
        said = _callers_words(chat_ctx)
        if self.fast_llm is None or said is None:
            async for chunk in Agent.default.llm_node(self, chat_ctx, tools, model_settings):
                yield chunk
            return

        fast = _FastReply(self.fast_llm, self._fast_chat_ctx(said))
        answer = _Answer(Agent.default.llm_node(self, chat_ctx, tools, model_settings))
        try:
            ready: list[asyncio.Future[Any]] = [fast.sentence, answer.speakable]
            await asyncio.wait(ready, return_when=asyncio.FIRST_COMPLETED)
            preresponse = fast.sentence.result() if fast.sentence.done() else ""
            if preresponse:
                yield _preresponse_chunk(preresponse)
                yield FlushSentinel()
            async for chunk in answer.chunks:
                yield chunk
            await answer.task
            if answer.only_calls_tools and not preresponse:
                # The tool runs already; what it finds is spoken in a later pass, which has no pre-response.
                await asyncio.wait([fast.sentence], timeout=_TOOL_PATIENCE)
                if fast.sentence.done() and (preresponse := fast.sentence.result()):
                    yield _preresponse_chunk(preresponse)
        finally:
            await utils.aio.cancel_and_wait(fast.task, answer.task)

    def _fast_chat_ctx(self, said: str) -> llm.ChatContext:
        chat_ctx = llm.ChatContext.empty()
        chat_ctx.add_message(role="system", content=self._preresponse_prompt)
        for caller, reply in _EXAMPLES:
            chat_ctx.add_message(role="user", content=caller)
            chat_ctx.add_message(role="assistant", content=reply)
        chat_ctx.add_message(role="user", content=said)
        return chat_ctx


def first_sentence(text: str, *, complete: bool) -> str | None:
    """The first sentence of a model's reply as it should be spoken.

    Args:
        text: What the model has said so far.
        complete: Whether the model has finished.

    Returns:
        ``None`` while the sentence may go on; an empty string when there is nothing fit to be spoken.
    """
    sentences = _SENTENCES.tokenize(text)
    if not complete and len(sentences) < 2:
        return None  # "It costs 3." may go on with "50": only a next sentence shows that this one has ended
    sentence = " ".join(sentences[0].split()).strip("\"'*_ ") if sentences else ""
    if not any(character.isalpha() for character in sentence) or len(sentence.split()) > _MAX_WORDS:
        return ""
    return sentence if sentence[-1] in ".!?…" else sentence.rstrip(",;:-") + "."


class _FastReply:
    """The fast model's reply, on its way from the moment this is made.

    ``sentence`` gets the first sentence, or an empty string when there will be none; it never raises.
    The stream is read on while the answer comes, because only at its end the provider tells how many tokens it billed.
    """

    def __init__(self, fast_llm: llm.LLM[Any], chat_ctx: llm.ChatContext) -> None:
        self.sentence: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._read(fast_llm, chat_ctx), name="preresponse")
        self.task.add_done_callback(lambda _: self._resolve(""))

    async def _read(self, fast_llm: llm.LLM[Any], chat_ctx: llm.ChatContext) -> None:
        text = ""
        try:
            async with fast_llm.chat(chat_ctx=chat_ctx) as stream:
                async for chunk in stream:
                    text += (chunk.delta.content if chunk.delta else None) or ""
                    if not self.sentence.done():
                        self._resolve(first_sentence(text, complete=False))
            self._resolve(first_sentence(text, complete=True))
        except Exception as error:
            # Not the error's text: providers put what the caller said into it.
            status = getattr(error, "status_code", "")
            logger.warning("no pre-response: fast model %s failed: %s %s", fast_llm.model, type(error).__name__, status)

    def _resolve(self, sentence: str | None) -> None:
        if sentence is not None and not self.sentence.done():
            self.sentence.set_result(sentence)


class _Answer:
    """The main model's answer, on its way from the moment this is made.

    ``speakable`` is done once a first sentence, a tool call or the end is there: from then on a pre-response
    that has not come yet would only hold the answer up.
    """

    def __init__(self, source: AsyncIterable[Chunk]) -> None:
        self.chunks = utils.aio.Chan[Chunk]()
        self.only_calls_tools = False
        self.speakable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._read(source), name="answer")
        self.task.add_done_callback(self._finish)

    async def _read(self, source: AsyncIterable[Chunk]) -> None:
        text, calls_tools = "", False
        async for chunk in source:
            self.chunks.send_nowait(chunk)
            if isinstance(chunk, llm.ChatChunk) and chunk.delta:
                text += chunk.delta.content or ""
                calls_tools = calls_tools or bool(chunk.delta.tool_calls)
                if not self.speakable.done() and (calls_tools or len(_SENTENCES.tokenize(text)) > 1):
                    self._mark_speakable()
        self.only_calls_tools = calls_tools and not text.strip()

    def _finish(self, _: asyncio.Task[None]) -> None:
        self._mark_speakable()
        self.chunks.close()

    def _mark_speakable(self) -> None:
        if not self.speakable.done():
            self.speakable.set_result(None)


def _callers_words(chat_ctx: llm.ChatContext) -> str | None:
    """What the caller just said; ``None`` when the model is not replying to the caller, as after a tool call."""
    for item in reversed(chat_ctx.items):
        if item.type == "message" and item.role == "system":
            continue
        if item.type == "message" and item.role == "user":
            return item.text_content
        return None
    return None


def _preresponse_chunk(text: str) -> llm.ChatChunk:
    # The framework joins segments without a space, and keeps `extra` with the message in the history.
    delta = llm.ChoiceDelta(role="assistant", content=f"{text} ", extra={EXTRA_KEY: text})
    return llm.ChatChunk(id=utils.shortuuid("preresponse_"), delta=delta)
