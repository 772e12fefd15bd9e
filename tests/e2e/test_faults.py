"""A caller on a real LiveKit server while something fails: a choice of what `benchmarks.reliability` runs in full."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent_worker.core.folders import cache_dir
from benchmarks.reliability.cases import Case, ProviderCase, run_case
from benchmarks.reliability.faults import FAST, MAIN, STT, TTS
from benchmarks.reliability.mishaps import mishap_cases
from benchmarks.reliability.world import World, new_world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(
        not shutil.which("toxiproxy-server") and not (cache_dir() / "bin" / "toxiproxy-server").exists(),
        reason="needs Toxiproxy: run `make toxiproxy-server`",
    ),
]

#: The calls of a lane are held one after the other, on the same servers.
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
        *(case for case in mishap_cases() if "SIGKILL" in case.name),
    ],
]


async def test_everybody_gets_a_reply_and_everything_is_counted(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(len(LANES))]
    for folder in folders:
        folder.mkdir()
    problems = await asyncio.gather(*map(problems_of, LANES, folders))
    assert not [problem for lane in problems for problem in lane]


async def _problems(case: Case, world: World) -> list[str]:
    """What one call of three does not hold: on a machine that is busy with other tests a turn may be cut in two.

    How long the silence is depends on what else the machine does; the caller gives up after 15 s of it.
    """
    for _ in range(3):
        verdict = await run_case(case, world)
        problems = [problem for problem in verdict.problems if not problem.endswith("of silence")]
        if not problems:
            break
    return problems


async def problems_of(cases: Sequence[Case], folder: Path) -> list[str]:
    found = []
    async with new_world(folder, {}) as world:
        for case in cases:
            found += [f"{case.name}: {problem}" for problem in await _problems(case, world)]
    return found
