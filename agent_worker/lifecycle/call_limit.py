"""Limits of a call: duration, tokens, cost, and the caller's silence. Each ends the call when it is reached."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import AgentSession, UserStateChangedEvent

from agent_worker.lifecycle.call_end import CallEnd
from agent_worker.telemetry.events import UsageEvents
from agent_worker.telemetry.record import Usage


def limit_duration(
    limit_s: float,
    session: AgentSession[Any],
    end: CallEnd,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> asyncio.Task[None]:
    """End the call after ``limit_s`` seconds.

    Returns:
        The task that waits for the limit. The end of the session cancels it.
    """

    async def wait() -> None:
        await sleep(limit_s)
        end.begin("duration")

    task = asyncio.create_task(wait(), name="limit_duration")
    session.once("close", lambda _: task.cancel())
    return task


def limit_usage(max_tokens: int, max_cost_usd: float | None, usage_events: UsageEvents, end: CallEnd) -> None:
    """End the call when it has used ``max_tokens`` LLM tokens, or cost ``max_cost_usd``.

    Usage is known when a provider reports it, at the end of a request: the last request may go over the limit.
    """

    def on_usage(usage: Usage) -> None:
        if usage.prompt_tokens + usage.completion_tokens >= max_tokens:
            end.begin("tokens")
        elif max_cost_usd is not None and usage.cost_usd >= max_cost_usd:
            end.begin("cost")

    usage_events.on("usage_changed", on_usage)


def limit_silence(
    limit_s: float,
    session: AgentSession[Any],
    end: CallEnd,
    audience: asyncio.Future[None] | None,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> asyncio.Task[None]:
    """End the call when the caller has been silent for ``limit_s`` seconds, the session's ``user_away_timeout``.

    Only the time in which the agent listens counts, and neither the work of a tool nor a typed text is silence. The
    session counts no time before somebody receives the agent's audio: who never does is silent from the beginning.

    Args:
        limit_s: Of the silence, in seconds.
        session: The call's session.
        end: Ends the call.
        audience: Done once somebody receives the agent's audio; None where there is no room.
        sleep: Waits for so many seconds.

    Returns:
        The task that waits for an audience. The end of the session cancels it.
    """

    def on_user_state(event: UserStateChangedEvent) -> None:
        if event.new_state == "away":
            end.begin("silence")

    async def wait_for_audience() -> None:
        if audience is None:
            return
        await sleep(limit_s)
        if not audience.done():
            end.begin("silence")

    session.on("user_state_changed", on_user_state)
    task = asyncio.create_task(wait_for_audience(), name="limit_silence")
    session.once("close", lambda _: task.cancel())
    return task
