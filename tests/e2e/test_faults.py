"""Calls on a real LiveKit server while something fails: some of the cases of `benchmarks.reliability`."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent_worker.core.folders import cache_dir
from benchmarks.reliability.cases import Case, ProviderCase, run_case
from benchmarks.reliability.infra_faults import infra_cases
from benchmarks.reliability.provider_faults import FAST, MAIN, STT, TTS
from benchmarks.reliability.testbed import Testbed, run_testbed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(
        not shutil.which("toxiproxy-server") and not (cache_dir() / "bin" / "toxiproxy-server").exists(),
        reason="needs Toxiproxy: run `make toxiproxy-server`",
    ),
]

REPLY_TIMEOUT_S = 90.0
"""A slow machine is no fault. One that loses the agent for good leaves a caller waiting this long."""
#: The calls of a lane are made one after the other, on the same servers.
LANES: list[list[Case]] = [
    [
        ProviderCase((STT,), "silent", "for ever"),
        ProviderCase((MAIN,), "cut", "once"),
        ProviderCase((TTS,), "silent", "once"),
    ],
    [
        ProviderCase((TTS,), "refused", "for ever"),
        ProviderCase((STT,), "429", "once"),
        ProviderCase((FAST, MAIN), "500", "for ever"),
    ],
    [
        ProviderCase((MAIN,), "silent", "for ever"),
        *(case for case in infra_cases() if "SIGKILL" in case.name),
    ],
]


@pytest.mark.parametrize("lane", LANES, ids=["voice or transcript lost", "refused", "silent or killed"])
async def test_every_caller_gets_a_reply_and_all_usage_is_counted(lane: Sequence[Case], tmp_path: Path) -> None:
    assert await problems_of(lane, tmp_path) == []


async def _problems(case: Case, testbed: Testbed) -> list[str]:
    """Return the problems of the best of three calls: on a busy machine a turn may be cut in two.

    The length of silences depends on the load of the machine and is not checked.
    """
    for _ in range(3):
        result = await run_case(case, testbed)
        problems = [problem for problem in result.problems if not problem.endswith("of silence")]
        if not problems:
            break
    return problems


async def problems_of(cases: Sequence[Case], folder: Path) -> list[str]:
    found = []
    async with run_testbed(folder, {}, reply_timeout=REPLY_TIMEOUT_S) as testbed:
        for case in cases:
            found += [f"{case.name}: {problem}" for problem in await _problems(case, testbed)]
    return found
