"""Have a self-hosted main model read its instructions while the greeting is spoken, and not in the first turn."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import Agent, llm

from agent_worker.core.log import logger

_tasks: set[asyncio.Task[None]] = set()


def prefill(model: llm.LLM[Any], agent: Agent) -> asyncio.Task[None]:
    """Start a request with the agent's instructions and tools, and end it at its first token.

    A server that was idle loads the model now. Its prompt cache then holds what the first turn begins with.

    Args:
        model: The main model. Where tokens are paid for, it would charge the instructions twice and gain little.
        agent: As in the first turn.

    Returns:
        The task, which never fails: the first turn reports what is wrong.
    """
    task = asyncio.create_task(_prefill(model, agent), name="prefill")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


async def _prefill(model: llm.LLM[Any], agent: Agent) -> None:
    text = agent.instructions
    request = llm.ChatContext.empty()
    request.add_message(role="system", content=text if isinstance(text, str) else text.render())
    request.add_message(role="user", content="Hello.")
    try:
        async with model.chat(chat_ctx=request, tools=llm.ToolContext(agent.tools).flatten()) as stream:
            await anext(aiter(stream), None)
    except Exception as error:
        logger.warning("the main model is not ready: %s", type(error).__name__)
