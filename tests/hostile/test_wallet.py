"""A caller who wants to cause cost: the longest texts, one after the other."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

from livekit.agents import AgentSession, llm

from agent_worker.core.compat.livekit import reply_to_text
from agent_worker.lifecycle.call_end import CallEnd
from agent_worker.lifecycle.call_limit import limit_usage
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.history import estimated_tokens
from agent_worker.room.text_input import MAX_TEXT_CHARS, BoundedTextInput
from agent_worker.room.token_bucket import TokenBucket
from agent_worker.telemetry.pricing import Prices
from agent_worker.telemetry.session_meter import SessionMeter
from agent_worker.testing import ScriptedLLM, conversation
from tests.agent_worker.museum import museum_agent
from tests.agent_worker.test_session_meter import a_stack, llm_event
from tests.waiting import until

HISTORY_MAX_TOKENS = 8_000
TEXTS = 80


class BilledLLM(ScriptedLLM):
    """Answers each request and reports the tokens of its prompt, as a provider does.

    Attributes:
        prompt_tokens: Tokens of each prompt.
    """

    def __init__(self) -> None:
        super().__init__("Yes.")
        self.prompt_tokens: list[int] = []

    def chat(self, *, chat_ctx: llm.ChatContext, **options: Any) -> llm.LLMStream:
        self.prompt_tokens.append(sum(map(estimated_tokens, chat_ctx.items)))
        tokens = self.prompt_tokens[-1]
        event = llm_event(prompt_tokens=tokens, completion_tokens=2, prompt_cached_tokens=0, total_tokens=tokens + 2)
        self.emit("metrics_collected", event)
        return super().chat(chat_ctx=chat_ctx, **options)


def text(number: int) -> str:
    return f"{number} ".ljust(MAX_TEXT_CHARS, "x")


async def test_prompt_tokens_of_eighty_long_texts_are_bounded_for_each_text() -> None:
    model = BilledLLM()
    async with conversation(museum_agent(history_max_tokens=HISTORY_MAX_TOKENS), llm=model) as running:
        for number in range(TEXTS):
            await running.say(text(number), hold_answer=False)
    assert len(model.prompt_tokens) == TEXTS
    assert max(model.prompt_tokens) <= HISTORY_MAX_TOKENS * 1.02  # and the instructions
    assert sum(model.prompt_tokens) <= TEXTS * HISTORY_MAX_TOKENS


class TextStream:
    """A text stream of one chunk."""

    info = None

    def __init__(self, text: str) -> None:
        self._text = text

    async def __aiter__(self) -> AsyncIterator[str]:
        yield self._text

    def close(self) -> None:
        pass


class Chat:
    """The room's chat, with a token bucket that never waits."""

    def __init__(self, session: AgentSession[Any], agent: PreResponseAgent) -> None:
        self.send: Callable[[Any, str], None] | None = None
        room_io = SimpleNamespace(
            linked_participant=SimpleNamespace(identity="caller"), wait_for_ready=self._wait_for_ready
        )
        linked = SimpleNamespace(room_io=room_io, once=session.once)
        self.input = BoundedTextInput(
            linked,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            agent.events,
            deliver=lambda _, message: reply_to_text(session, message),
            bucket=TokenBucket(1, 0.0),
        )
        self.input.attach()

    async def _wait_for_ready(self) -> None:
        """The caller has joined already."""

    def register_text_stream_handler(self, _: str, handler: Callable[[Any, str], None]) -> None:
        self.send = handler

    def unregister_text_stream_handler(self, _: str) -> None:
        self.send = None


async def test_call_of_eighty_long_texts_ends_at_its_budget() -> None:
    max_tokens = 100_000
    model = BilledLLM()
    meter = SessionMeter(dataclasses.replace(a_stack(), main_llm=model), Prices.load())

    async def close_room() -> None:
        pass

    agent = museum_agent(history_max_tokens=HISTORY_MAX_TOKENS)
    async with conversation(agent, llm=model) as running:
        closed = asyncio.Event()
        running.session.once("close", lambda _: closed.set())
        chat = Chat(running.session, agent)
        end = CallEnd(running.session, "en", close_room, stop_text_input=chat.input.detach)
        limit_usage(max_tokens, None, meter.usage_events, end)
        texts = 0
        while chat.send is not None:
            asked = len(model.prompt_tokens)
            chat.send(TextStream(text(texts)), "caller")
            texts += 1
            await until(lambda asked=asked: len(model.prompt_tokens) > asked or chat.send is None)
        await closed.wait()
    assert texts < TEXTS
    assert max_tokens <= sum(model.prompt_tokens) <= max_tokens + HISTORY_MAX_TOKENS
