"""Decide which models are asked for an answer, in which order, and how long each may take."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable
from typing import Any

from livekit.agents import Agent, APIConnectOptions, ModelSettings, llm

from agent_worker.preresponse.first_word import Candidate, FirstWord, ReasoningHabits, Wordless
from agent_worker.telemetry.unreported_usage import UnreportedUsage


class AnswerModels:
    """The models that answer in one call: the main model, and another in its place if it says no word.

    Args:
        agent: The agent, whose ``llm`` or whose session's is the main model.
        fallback_llm: The other model; ``None``: there is none.
        silence_s: How long the main model may take to show that it is at work, seconds; ``None``: without limit.
        thinking_s: How long it may be at work before its first word, seconds; ``None``: without limit.
        fallback_s: How long the other model may take to its first word, seconds; ``None``: without limit.
        report_usage: Receives a request that ends before the provider reports its usage.
        on_replaced: Is told the reason when the other model is asked.
    """

    def __init__(
        self,
        agent: Agent,
        fallback_llm: llm.LLM[Any] | None,
        *,
        silence_s: float | None,
        thinking_s: float | None,
        fallback_s: float | None,
        report_usage: Callable[[UnreportedUsage], None],
        on_replaced: Callable[[str], None],
    ) -> None:
        self._agent = agent
        self._fallback_llm = fallback_llm
        self._silence_s = silence_s
        self._thinking_s = thinking_s
        self._fallback_s = fallback_s
        self._report_usage = report_usage
        self._on_replaced = on_replaced
        self._habits = ReasoningHabits()

    def ask(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings, language: str
    ) -> FirstWord:
        """Return what asks them, in ``language``."""
        return FirstWord(
            self._candidates(chat_ctx, tools, model_settings),
            chat_ctx,
            tools_allowed=model_settings.tool_choice != "none",
            tools=llm.ToolContext(tools).function_tools.keys(),
            language=language,
            habits=self._habits,
            report_usage=self._report_usage,
            on_replaced=self._on_replaced,
        )

    def _candidates(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> list[Candidate]:
        agent = self._agent
        main_llm = agent.llm if isinstance(agent.llm, llm.LLM) else agent.session.llm
        # The adapter has asked its other models already if the main one failed or was silent.
        replaced_if = (
            {Wordless.THINKING, Wordless.EMPTY} if isinstance(main_llm, llm.FallbackAdapter) else set(Wordless)
        )
        main = Candidate(
            "main",
            functools.partial(Agent.default.llm_node, agent, chat_ctx, tools, model_settings),
            silence_s=self._silence_s,
            thinking_s=self._thinking_s,
            replaced_if=frozenset(replaced_if),
        )
        if self._fallback_llm is None or self._fallback_llm is main_llm:
            return [main]
        ask = functools.partial(_ask, self._fallback_llm, chat_ctx, tools, model_settings)
        return [main, Candidate("fast", ask, silence_s=self._fallback_s, thinking_s=self._fallback_s)]


async def _ask(
    model: llm.LLM[Any], chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
) -> AsyncGenerator[llm.ChatChunk]:
    """Ask a model once, with the tools: the caller waits."""
    once = APIConnectOptions(max_retry=0)
    async with model.chat(
        chat_ctx=chat_ctx, tools=tools, tool_choice=model_settings.tool_choice, conn_options=once
    ) as stream:
        async for chunk in stream:
            yield chunk
