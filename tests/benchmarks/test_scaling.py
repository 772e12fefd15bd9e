from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness import results as files
from benchmarks.harness.usage import CpuMeter, ProcessTree, holdings
from benchmarks.scaling.report import markdown
from benchmarks.scaling.results import BARE, OURS, Level, Results, Worker
from benchmarks.scaling.sizing import costs, size

ABOUT = {"command": "c", "seed": 1, "note": "", "machine": "m", "versions": "v", "began": "2026-01-01"}


def level(calls: int, gap: float = 0.5) -> Level:
    """A worker of 300 MB and 0.05 cores, of which each call takes 50 MB and 0.1 cores."""
    return Level(
        calls,
        gaps=[gap] * 10,
        cores={"machine": 1.0, "worker": 0.05 + 0.1 * calls, "livekit": 0.01 * calls},
        memory_mb={"worker": 300.0 + 50 * calls, "livekit": 60.0 + calls},
    )


def results(*levels: Level) -> Results:
    return Results(ABOUT, {OURS: Worker([*levels]), BARE: Worker([*levels])}, series=400)


def test_usage_of_a_call_is_separated_from_that_of_an_idle_worker() -> None:
    measured = Worker([level(1), level(2), level(4)])
    assert measured.cpu("worker") == pytest.approx((0.1, 0.05))
    assert measured.memory("worker") == pytest.approx((50, 300))
    assert measured.calls_per_core == pytest.approx(6.5)


def test_worker_is_slowed_when_p95_is_twice_that_of_one_call() -> None:
    assert Worker([level(1), level(2, gap=0.9), level(4, gap=1.1)]).slowed_at == 4
    assert Worker([level(1), level(2)]).slowed_at is None


def test_page_shows_the_ratio_to_the_bare_worker() -> None:
    twice = [Level(4, [1.0], {"worker": 0.8, "machine": 1, "livekit": 0}, {"worker": 1000, "livekit": 0})]
    ours, bare = Worker([level(1), *twice]), Worker([level(1), level(4)])
    (row,) = [line for line in markdown(Results(ABOUT, {OURS: ours, BARE: bare}, 400)).splitlines() if "CPU of" in line]
    assert row.split("|")[2:5] == [" 0.217 ", " 0.100 ", " 2.17 "]


def test_more_calls_need_more_pods_and_cells_of_limited_size() -> None:
    measured = results(level(1), level(2), level(4))
    small, middle, large = (size(measured, calls) for calls in (100, 10_000, 1_000_000))
    assert (small.cells, middle.cells, large.cells) == (1, 1, 100)
    assert small.pods < middle.pods < large.pods
    assert large.requests == middle.requests  # per cell


def test_cost_of_a_call_follows_the_prices() -> None:
    defaults, example, own = costs()
    assert defaults.stt == pytest.approx(5 * 60 * 0.0001)
    assert example.total < defaults.total
    assert own.total == 0


def test_page_can_be_made_from_the_saved_results(tmp_path: Path) -> None:
    measured = results(level(1), level(2), level(4))
    files.save(tmp_path / "scaling.json", measured, depth=4)
    assert markdown(files.load(tmp_path / "scaling.json", Results)) == markdown(measured)


def test_usage_includes_child_processes() -> None:
    parent = (
        "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE); "
        "print(c.pid, flush=True); c.wait()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        tree = ProcessTree(process.pid)
        meter = CpuMeter({"tree": tree})
        assert [each.pid for each in tree.processes()] == [process.pid, child]
        assert holdings(tree.processes())["threads"] == 2
        assert set(dict(meter.cores())) == {"machine", "tree"}
    finally:
        os.killpg(process.pid, 9)
        process.wait()
