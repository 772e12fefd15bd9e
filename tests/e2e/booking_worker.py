"""The worker of the cloud stack whose agent can book: each run of its tool is a line in the file TOOL_LOG."""

from __future__ import annotations

from agent_worker.app.bootstrap import prepare

prepare()  # before livekit is imported

import asyncio
import os
from pathlib import Path
from unittest import mock

from livekit.agents import JobContext, function_tool

from agent_worker.app import worker
from agent_worker.app.call import run_call
from agent_worker.core.settings import Settings
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.providers.cloud import CLOUD
from agent_worker.providers.stack import VoiceStack
from agent_worker.telemetry.session_meter import SessionMeter


@function_tool
async def book() -> str:
    """Book what the caller asks for."""
    await asyncio.to_thread(record, "booked\n")
    return "booked"


def record(line: str) -> None:
    with Path(os.environ["TOOL_LOG"]).open("a") as log:
        log.write(line)


async def run_call_with_tool(
    job: JobContext, stack: VoiceStack, agent: PreResponseAgent, meter: SessionMeter, settings: Settings
) -> None:
    await agent.update_tools([book])
    await run_call(job, stack, agent, meter, settings)


mock.patch.object(worker, "run_call", run_call_with_tool).start()  # here: the processes of calls import this file too

if __name__ == "__main__":
    worker.run(CLOUD)
