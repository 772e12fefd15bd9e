"""``python benchmarks/contenders/stock_tool_agent.py start``: ``stock_agent.py`` with a tool that takes long.

While the tool works, `RunContext.with_filler` speaks, by FILLER:

- ``once``: as in LiveKit's documentation of async tools: one line, once the session has been idle for 5 s;
- ``rotating``: the documentation's second form, another line each time, with the delays of our worker: 2.5 s before
  the first line, and about 4.5 s of silence before each of the next ones;
- ``immediate``: one line as soon as the tool is called, `delay=0`.

The lines are those of our worker, so that all systems speak for equally long.
"""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager

from livekit.agents import Agent, JobContext, RunContext, function_tool, get_job_context

from benchmarks.contenders.common import INSTRUCTIONS, publish_turns, serve, session
from benchmarks.contenders.slow_tool import take_time

LINES = ("Still working on it.", "This is taking a moment.", "I'm still on it.")
_DOCUMENTED_DELAY_S = 5.0
_OUR_DELAY_S = 2.5
_INTERVAL_S = 3.5
"""From the start of a line, of about 1.5 s with its synthesis; then the session has to be idle for the delay again."""


def _filler(context: RunContext[None]) -> AbstractAsyncContextManager[None]:
    if os.environ["FILLER"] == "immediate":
        return context.with_filler(LINES[0], delay=0)
    if os.environ["FILLER"] == "once":
        return context.with_filler(LINES[0], delay=_DOCUMENTED_DELAY_S)
    return context.with_filler(lambda step: LINES[step], delay=_OUR_DELAY_S, interval=_INTERVAL_S, max_steps=len(LINES))


@function_tool
async def look_up(context: RunContext[None]) -> str:
    """Look up what the caller asks for."""
    async with _filler(context):
        return await take_time(get_job_context().room.name)


async def entrypoint(job: JobContext) -> None:
    """Serve a call."""
    agent_session = session()
    publish_turns(agent_session, job.room)
    await agent_session.start(agent=Agent(instructions=INSTRUCTIONS, tools=[look_up]), room=job.room)


if __name__ == "__main__":
    serve(entrypoint)
