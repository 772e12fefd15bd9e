"""The fast model's pre-response: how it is asked, and which part of its reply may be spoken."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import APIConnectOptions, llm, tokenize

from agent_worker.core.log import logger
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.telemetry.unreported_usage import UsageTracker
from agent_worker.text.sanitize import MAX_SENTENCE_CHARS, strip_surrogates

DEFAULT_PRERESPONSE_PROMPT = (
    "You are the first voice on a phone call. A colleague is preparing the real answer. Show the caller in one short "
    "sentence of at most eight words that you heard them. Fit it to what they said: if they are upset, be sorry with "
    "them; if they thank you, be glad. Do not answer, state no facts or numbers, promise nothing and ask nothing."
)

# Small models follow examples better than rules.
EXAMPLES = (
    ("What time does the museum open tomorrow?", "Let me think about the museum's opening times."),
    ("Can you tell me about your return policy?", "Let me think about our return policy."),
    ("My father was taken to hospital last night.", "Oh, I'm so sorry to hear that."),
    ("No, I said Tuesday, not Thursday.", "Ah, thanks for putting me right."),
    ("How does a refrigerator work?", "Let me think about how a refrigerator works."),
)

#: A model that fails is not asked again: the caller waits, and there are phrases.
_ONCE = APIConnectOptions(max_retry=0, timeout=3.0)
#: Characters: many times what it was asked for.
_LONGEST_READ = 2_000

_SENTENCES = tokenize.blingfire.SentenceTokenizer(min_sentence_len=1)


def request(prompt: str, said: str) -> llm.ChatContext:
    """What the fast model is asked. It does not see the conversation: the prompt stays short, so it answers fast."""
    chat_ctx = llm.ChatContext.empty()
    chat_ctx.add_message(role="system", content=prompt)
    for caller, reply in EXAMPLES:
        chat_ctx.add_message(role="user", content=caller)
        chat_ctx.add_message(role="assistant", content=reply)
    chat_ctx.add_message(role="user", content=said)
    return chat_ctx


def sentences(text: str) -> list[str]:
    return _SENTENCES.tokenize(text)


def first_sentence(text: str, *, complete: bool) -> str | None:
    """The first sentence of a model's reply as it should be spoken.

    Args:
        text: What the model has said so far.
        complete: Whether the model has finished.

    Returns:
        ``None`` while the sentence may go on; an empty string when there is nothing fit to be spoken.
    """
    found = sentences(text)
    if not complete and len(found) < 2:
        return None  # "It costs 3." may go on with "50": only a next sentence shows that this one has ended
    sentence = " ".join(found[0].split()).strip("\"'*_ ") if found else ""
    if not any(character.isalpha() for character in sentence):
        return ""
    return sentence if sentence[-1] in ".!?…" else sentence.rstrip(",;:-") + "."


class FastReply:
    """The fast model's reply, on its way from the moment this is made.

    ``sentence`` gets the first sentence, or an empty string when there will be none; it never raises.
    The stream is read on to its end, because only there the provider tells how many tokens it billed; one that goes on
    and on is left.
    """

    def __init__(self, fast_llm: llm.LLM[Any], chat_ctx: llm.ChatContext, timeline: TurnTrace) -> None:
        self.sentence: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._timeline = timeline
        timeline.fast_request = timeline.now()
        self.task = asyncio.create_task(self._read(fast_llm, chat_ctx), name="preresponse")
        self.task.add_done_callback(lambda _: self._resolve(""))

    async def _read(self, fast_llm: llm.LLM[Any], chat_ctx: llm.ChatContext) -> None:
        text, watch = "", UsageTracker("fast", chat_ctx, self._timeline.on_cut_off)
        read = 0
        try:
            async with fast_llm.chat(chat_ctx=chat_ctx, conn_options=_ONCE) as stream:
                async for chunk in stream:
                    content = strip_surrogates((chunk.delta.content if chunk.delta else None) or "")
                    watch.take(content, usage_told=chunk.usage is not None)
                    read += len(content)
                    if content and not self.sentence.done():
                        text = (text + content)[:MAX_SENTENCE_CHARS]
                        self._timeline.fast_first_token = self._timeline.fast_first_token or self._timeline.now()
                        self._resolve(first_sentence(text, complete=read > MAX_SENTENCE_CHARS))
                    if read > _LONGEST_READ:
                        watch.cut_off()
                        break
            self._resolve(first_sentence(text, complete=True))
        except asyncio.CancelledError:
            watch.cut_off()
            raise
        except Exception as error:
            watch.cut_off()
            # Not the error's text: providers put what the caller said into it.
            status = getattr(error, "status_code", "")
            logger.warning("fast model %s failed: %s %s", fast_llm.model, type(error).__name__, status)

    def _resolve(self, sentence: str | None) -> None:
        if sentence is not None and not self.sentence.done():
            self.sentence.set_result(sentence)
