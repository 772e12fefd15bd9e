"""Ask the fast model for a pre-response and take the first sentence of its reply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from livekit.agents import APIConnectOptions, llm, tokenize

from agent_worker.core.log import logger
from agent_worker.core.progress import REASONING_CHARS_KEY
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.telemetry.unreported_usage import UnreportedUsage, UsageTracker
from agent_worker.text.move import Move
from agent_worker.text.reasoning import ReasoningFilter
from agent_worker.text.sanitize import MAX_SENTENCE_CHARS, strip_surrogates

DEFAULT_PRERESPONSE_PROMPT = (
    "You are the first voice on a phone call. A colleague is preparing the real answer. Show the caller in one short "
    "sentence of at most eight words that you heard them. Do not answer, state no facts or numbers, promise nothing "
    "and ask nothing."
)
#: What the model is told about the wanted move, behind the prompt.
WANTED = {
    Move.LOOK_UP: "Say what you are going to look up.",
    Move.MOMENT: "It takes a while: ask for a moment.",
    Move.SYMPATHY: "The caller is in trouble: be sorry with them.",
    Move.LISTEN: "Say only that you see, without cheer and without being sorry.",
}

# Small models follow examples better than rules.
EXAMPLES = {
    Move.LOOK_UP: (
        ("What time does the museum open tomorrow?", "Let me check the opening hours."),
        ("Can you tell me about your return policy?", "Checking our return policy."),
        ("I'm looking for a hotel near the park.", "Let me look for a hotel there."),
    ),
    Move.MOMENT: (
        ("What time does the museum open tomorrow?", "One moment, let me check the opening hours."),
        ("Could you book me a table for tonight?", "Just a moment, let me look into that."),
    ),
    Move.SYMPATHY: (
        ("My father was taken to hospital last night.", "Oh, I'm so sorry to hear that."),
        ("This is the third time it breaks.", "I'm really sorry about that."),
    ),
    Move.LISTEN: (
        ("We moved here in spring and it has been quiet since.", "Mm, I see."),
        ("They said that it would take two weeks.", "I see, I hear you."),
    ),
}

#: A model that fails is not asked again: the caller waits, and there are phrases.
_NO_RETRY = APIConnectOptions(max_retry=0, timeout=3.0)
#: Many times the length that was asked for.
_MAX_REPLY_CHARS = 2_000

_SENTENCES = tokenize.blingfire.SentenceTokenizer(min_sentence_len=1)


def request(prompt: str, caller_text: str, move: Move = Move.LOOK_UP) -> llm.ChatContext:
    """Return the request to the fast model. It holds no conversation: a short prompt is answered fast.

    Args:
        prompt: The system prompt.
        caller_text: What the caller said.
        move: What the sentence is to do, one of ``WANTED``.
    """
    chat_ctx = llm.ChatContext.empty()
    chat_ctx.add_message(role="system", content=f"{prompt} {WANTED[move]}")
    for caller, reply in EXAMPLES[move]:
        chat_ctx.add_message(role="user", content=caller)
        chat_ctx.add_message(role="assistant", content=reply)
    chat_ctx.add_message(role="user", content=caller_text)
    return chat_ctx


def sentences(text: str) -> list[str]:
    """Split a text into sentences."""
    return _SENTENCES.tokenize(text)


def first_sentence(text: str, *, complete: bool) -> str | None:
    """Return the first sentence of a model's reply as it should be spoken.

    Args:
        text: The reply so far.
        complete: Whether the model has finished.

    Returns:
        ``None`` while the sentence may go on; an empty string if the reply holds nothing to speak.
    """
    found = sentences(text)
    if not complete and len(found) < 2:
        return None  # "It costs 3." may go on with "50": only a next sentence shows that this one has ended
    sentence = " ".join(found[0].split()).strip("\"'*_ ") if found else ""
    if not any(character.isalpha() for character in sentence):
        return ""
    return sentence if sentence[-1] in ".!?…" else sentence.rstrip(",;:-") + "."


class FastReply:
    """The fast model's reply, requested from the moment this is created.

    The stream is read to its end, because providers report the billed tokens only there; an endless one is abandoned.

    Args:
        fast_llm: The fast model.
        chat_ctx: The request.
        trace: Gets the times of the request and of the first token.
        report_usage: Receives the request if it ends before the provider reports its usage.
        clock: Monotonic time in seconds.

    Attributes:
        sentence: Resolves to the first sentence, or to an empty string if there will be none. Never raises.
        task: The request.
    """

    def __init__(
        self,
        fast_llm: llm.LLM[Any],
        chat_ctx: llm.ChatContext,
        trace: TurnTrace,
        report_usage: Callable[[UnreportedUsage], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sentence: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._trace = trace
        self._clock = clock
        self._usage = UsageTracker("fast", chat_ctx, report_usage)
        trace.fast_request = clock()
        self.task = asyncio.create_task(self._read(fast_llm, chat_ctx), name="fast_reply")
        self.task.add_done_callback(lambda _: self._resolve(""))

    async def _read(self, fast_llm: llm.LLM[Any], chat_ctx: llm.ChatContext) -> None:
        try:
            await self._read_stream(fast_llm, chat_ctx)
        except asyncio.CancelledError:
            self._usage.end_early()
            raise
        except Exception as error:
            self._usage.end_early()
            # Not the error's text: providers quote the caller in it.
            status = getattr(error, "status_code", "")
            logger.warning("fast model %s failed: %s %s", fast_llm.model, type(error).__name__, status)

    async def _read_stream(self, fast_llm: llm.LLM[Any], chat_ctx: llm.ChatContext) -> None:
        text, received_chars, reasoning = "", 0, ReasoningFilter()
        async with fast_llm.chat(chat_ctx=chat_ctx, conn_options=_NO_RETRY) as stream:
            async for chunk in stream:
                content = strip_surrogates((chunk.delta.content if chunk.delta else None) or "")
                self._usage.add_chars(((chunk.delta.extra if chunk.delta else None) or {}).get(REASONING_CHARS_KEY, 0))
                self._usage.add(content, has_usage=chunk.usage is not None)
                received_chars += len(content)
                content = reasoning.push(content)
                if content and not self.sentence.done():
                    text = (text + content)[:MAX_SENTENCE_CHARS]
                    self._trace.fast_first_token = self._trace.fast_first_token or self._clock()
                    self._resolve(first_sentence(text, complete=received_chars > MAX_SENTENCE_CHARS))
                if received_chars > _MAX_REPLY_CHARS:
                    self._usage.end_early()
                    break
        self._resolve(first_sentence(text + reasoning.flush(), complete=True))

    def _resolve(self, sentence: str | None) -> None:
        if sentence is not None and not self.sentence.done():
            self.sentence.set_result(sentence)
