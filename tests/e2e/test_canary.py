"""The canary calls a real worker, as a CronJob does."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from testbed.services import ROOT, Ports, livekit_env
from tests.e2e.chat import simulated_worker
from tests.e2e.metrics import scrape

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


async def test_canary_is_answered_where_only_the_pages_rooms_are_and_its_call_is_not_counted(
    livekit: Ports, tmp_path: Path
) -> None:
    env = {"AGENT_NAME": "museum", "WORKER_PAGE_ROOMS_ONLY": "1"}
    async with simulated_worker(tmp_path, livekit, env) as (ports, _):
        assert await called(ports, "museum") == (0, "answered")
        found = await scrape(ports)
        assert found["livekit_stt_duration_seconds_total"] > 0
        for counted in ("livekit_conversations_total", "livekit_conversation_turns_total"):
            assert not found.get(counted)
        assert not found.get("livekit_calls_ended_total[caller_left]")


async def test_canary_without_an_agent_says_so(livekit: Ports) -> None:
    assert await called(livekit, "nobody", CANARY_AGENT_TIMEOUT="1") == (1, "no_agent")


async def called(ports: Ports, agent: str, **settings: str) -> tuple[int | None, str]:
    """Run the canary once. Returns its exit code, and what it says became of the call."""
    long = {"CANARY_AGENT_TIMEOUT": "60", "CANARY_ANSWER_TIMEOUT": "60"}
    env = {**os.environ, **livekit_env(ports), "AGENT_NAME": agent, **long, **settings}
    canary = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "caller.canary"), cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await canary.communicate()
    return canary.returncode, said.decode().removeprefix("canary: ").replace(":", " ").split()[0]
