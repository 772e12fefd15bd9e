from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.scaling.report import markdown, read, write
from benchmarks.scaling.results import BARE, OURS, Level, Results, Worker
from benchmarks.scaling.sizing import costs, size
from benchmarks.scaling.usage import Family, Watch

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


def test_what_a_call_adds_is_told_apart_from_what_is_there_anyway() -> None:
    measured = Worker([level(1), level(2), level(4)])
    assert measured.cpu("worker") == pytest.approx((0.1, 0.05))
    assert measured.memory("worker") == pytest.approx((50, 300))
    assert measured.calls_per_core == pytest.approx(6.5)


def test_calls_are_too_many_when_the_slow_turns_take_twice_as_long_as_those_of_one_call() -> None:
    assert Worker([level(1), level(2, gap=0.9), level(4, gap=1.1)]).slowed_at == 4
    assert Worker([level(1), level(2)]).slowed_at is None


def test_what_a_call_takes_is_told_as_a_multiple_of_the_bare_worker() -> None:
    twice = [Level(4, [1.0], {"worker": 0.8, "machine": 1, "livekit": 0}, {"worker": 1000, "livekit": 0})]
    ours, bare = Worker([level(1), *twice]), Worker([level(1), level(4)])
    (row,) = [line for line in markdown(Results(ABOUT, {OURS: ours, BARE: bare}, 400)).splitlines() if "CPU of" in line]
    assert row.split("|")[2:5] == [" 0.217 ", " 0.100 ", " 2.17 "]


def test_more_calls_need_more_of_everything_and_no_cell_grows_beyond_its_size() -> None:
    measured = results(level(1), level(2), level(4))
    small, middle, large = (size(measured, calls) for calls in (100, 10_000, 1_000_000))
    assert (small.cells, middle.cells, large.cells) == (1, 1, 100)
    assert small.pods < middle.pods < large.pods
    assert large.asked == middle.asked  # a cell does not know how many others there are


def test_a_call_costs_what_the_prices_say() -> None:
    defaults, example, own = costs()
    assert defaults.stt == pytest.approx(5 * 60 * 0.0001)
    assert example.total < defaults.total
    assert own.total == 0


def test_report_is_made_anew_from_its_raw_numbers(tmp_path: Path) -> None:
    measured = results(level(1), level(2), level(4))
    write(measured, tmp_path)
    assert (tmp_path / "scaling.md").read_text() == markdown(read(tmp_path / "scaling.json"))


def test_what_a_process_and_its_children_use_is_seen() -> None:
    busy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
    process = subprocess.Popen([sys.executable, "-c", busy], start_new_session=True)
    try:
        family = Family(process.pid)
        while len(family.processes()) < 2:
            time.sleep(0.05)
        watch = Watch({"busy": family})
        before = family.cpu_seconds()
        while family.cpu_seconds() - before < 0.2:
            time.sleep(0.1)
        assert dict(watch.cores())["busy"] > 0
        assert family.memory_mb() > 5
    finally:
        os.killpg(process.pid, 9)
        process.wait()
