"""``python benchmarks/contenders/stock_timeout_agent.py start``: ``stock_agent.py`` with a filler after a timeout.

What many products do: if the model has given no token 1.0 s after it was asked, a fixed line is spoken, and the answer
after it. It is the node of the model (`Agent.llm_node`), as LiveKit's documentation of nodes shows how to override it.
The clock starts with the request, which preemptive generation sends before the end of the turn is certain: so the line
comes a little earlier than 1.0 s after it, in favour of this contender. The line is one of our worker's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from livekit.agents import Agent, FlushSentinel, JobContext, ModelSettings, llm

from benchmarks.contenders.common import INSTRUCTIONS, publish_turns, serve, session

TIMEOUT_S = 1.0
LINE = "One moment."
Part = llm.ChatChunk | str | FlushSentinel


async def with_filler(parts: AsyncIterator[Part], timeout_s: float) -> AsyncIterator[Part]:
    """Yield the parts of an answer, after the line if the first of them takes longer than the timeout."""
    first = asyncio.ensure_future(anext(parts, None))
    try:
        if not (await asyncio.wait([first], timeout=timeout_s))[0]:
            yield LINE
            yield FlushSentinel()
        if (part := await first) is None:
            return
    finally:
        first.cancel()
    yield part
    async for part in parts:
        yield part


class TimeoutFillerAgent(Agent):
    """An agent that speaks a line if the model is slow."""

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterator[Part]:
        """Yield the model's answer, after the line if it is late."""
        async for part in with_filler(Agent.default.llm_node(self, chat_ctx, tools, model_settings), TIMEOUT_S):
            yield part


async def entrypoint(job: JobContext) -> None:
    """Serve a call."""
    agent_session = session()
    publish_turns(agent_session, job.room)
    await agent_session.start(agent=TimeoutFillerAgent(instructions=INSTRUCTIONS), room=job.room)


if __name__ == "__main__":
    serve(entrypoint)
