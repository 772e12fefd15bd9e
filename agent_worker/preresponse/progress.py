"""Let a tool that takes long tell the caller in words how far it is."""

from __future__ import annotations

from typing import Any

from livekit.agents import RunContext

from agent_worker.preresponse.agent import PreResponseAgent


def report_progress(context: RunContext[Any], text: str) -> None:
    """Tell the caller how far the running tool is; returns at once.

    The text is said in the next pause, instead of a filler, and is part of the conversation. It is not said if another
    report or the tool's result comes first, if it was said in this turn already, or while the caller speaks.

    Args:
        context: The ``RunContext`` that livekit-agents passes to the tool.
        text: A short sentence that is true now: "I have found three flights and am checking the prices."
    """
    agent = context.session.current_agent
    if isinstance(agent, PreResponseAgent):
        agent.dead_air.report(text)
