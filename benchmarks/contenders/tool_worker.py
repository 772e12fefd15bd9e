"""``fast-preresponse.py`` with a tool that takes long, for the profiles with a tool."""

from __future__ import annotations

from agent_worker.app.bootstrap import prepare

prepare()  # before livekit is imported

from livekit.agents import JobContext, function_tool, get_job_context  # noqa: E402

from agent_worker.app import worker  # noqa: E402
from agent_worker.app.call import run_call  # noqa: E402
from agent_worker.core.settings import Settings  # noqa: E402
from agent_worker.preresponse.agent import PreResponseAgent  # noqa: E402
from agent_worker.providers.cloud import CLOUD  # noqa: E402
from agent_worker.providers.stack import VoiceStack  # noqa: E402
from agent_worker.telemetry.session_meter import SessionMeter  # noqa: E402
from benchmarks.contenders.slow_tool import take_time  # noqa: E402


@function_tool
async def look_up() -> str:
    """Look up what the caller asks for."""
    return await take_time(get_job_context().room.name)


async def _run_call_with_tool(
    job: JobContext, stack: VoiceStack, agent: PreResponseAgent, meter: SessionMeter, settings: Settings
) -> None:
    await agent.update_tools([look_up])
    await run_call(job, stack, agent, meter, settings)


vars(worker).update(run_call=_run_call_with_tool)  # here: the processes of calls import this file too

if __name__ == "__main__":
    worker.run(CLOUD)
