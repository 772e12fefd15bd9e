"""kill -9 of writers and of the service: nothing is lost but the event in flight, and nothing counts twice.

The slow tests kill at 1,200 lines and at each of 600 system calls; `KILL_FACTOR=10` kills at ten times as many lines,
and `KILL_SEED` chooses them. The fast tests kill at a few of them.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from prometheus_client import Counter, Histogram

from agent_metrics import writer
from agent_metrics.collector import FolderCollector
from tests.agent_metrics import crash_injection
from tests.agent_metrics.fake_processes import FakeProcess, Samples, compact_all, samples, status_metric

SLOW = [pytest.mark.slow, pytest.mark.timeout(3600)]
NEEDS_STRACE = pytest.mark.skipif(
    not crash_injection.can_trace_syscalls(), reason="strace is missing, or not permitted"
)
FACTOR = int(os.environ.get("KILL_FACTOR", "1"))
T = TypeVar("T")
SEED = int(os.environ.get("KILL_SEED", "7"))


# --- the service ---


@pytest.fixture
def before(folder: Path) -> Path:
    """Return a folder with a ledger, three dead processes (one with a foreign file), and a killed start."""
    template = folder / "template"
    _dead(template, 1)
    collector = FolderCollector(template)
    compact_all(collector)
    collector.close()
    for value in (10, 100):
        _dead(template / "worker-1", value)
    with_foreign_file = _dead(template, 1000)
    (with_foreign_file.folder.path / "notes.txt").write_text("hello")
    (template / ".p-pending").mkdir()
    os.utime(template / ".p-pending", (0, 0))
    return template


def _dead(root: Path, value: float) -> FakeProcess:
    process = FakeProcess.start(root)
    process.write("counter", "c", value)
    process.write("histogram", "h", value / 3)
    process.write("gauge_mostrecent", "g", value, timestamp=value)
    process.write("gauge_livesum", "live", value)
    return process.die()


def serve(root: Path) -> None:
    """Do what a service does: start, compact everything, be scraped, stop."""
    collector = FolderCollector(root)
    while collector.compact(0):
        if collector.is_ready:
            list(collector.collect())
    compact_all(collector)
    collector.close()


def assert_all_counts_once(root: Path, expected: Samples) -> None:
    collector = FolderCollector(root)
    while not collector.is_ready:
        collector.compact(0)
    assert samples(collector.collect()) == expected
    compact_all(collector)
    compact_all(collector)
    assert samples(collector.collect()) == expected
    assert status_metric(collector, "folding_paused") == 0
    collector.close()
    assert [path.name for path in root.iterdir()] == ["agent-metrics"]
    assert len(list((root / "agent-metrics" / "set-aside").iterdir())) == 1


def expected_of(before: Path) -> Samples:
    root = before.with_name("expected")
    shutil.copytree(before, root)
    collector = FolderCollector(root)
    compact_all(collector)
    found = samples(collector.collect())
    collector.close()
    assert {name: value for (name, _), value in found.items()} == {"c": 1111, "h": 1111 / 3, "g": 1000}
    return found


@pytest.mark.parametrize("kills", [15, pytest.param(800 * FACTOR, marks=SLOW)])
def test_service_killed_at_random_lines(kills: int, folder: Path, before: Path) -> None:
    expected = expected_of(before)
    lines = _measure(before, lambda root: crash_injection.count_lines(lambda: serve(root)))
    chance = random.Random(SEED)
    killed = 0
    while killed < kills:
        root = folder / "root"
        shutil.copytree(before, root)
        for _ in range(chance.randint(1, 3)):  # and again during its recovery
            killed += not crash_injection.kill_at_line(partial(serve, root), chance.randint(1, lines))
        assert_all_counts_once(root, expected)
        shutil.rmtree(root)


@NEEDS_STRACE
@pytest.mark.parametrize("step", [40, pytest.param(1, marks=SLOW)])
def test_service_killed_at_each_syscall(step: int, folder: Path, before: Path) -> None:
    expected = expected_of(before)
    calls = _measure(before, lambda root: crash_injection.list_syscalls(lambda: serve(root)))
    assert {"fdatasync", "unlinkat", "pwrite64", "flock"} <= {name for name, _ in calls}
    root = folder / "root"
    killed = 0
    for name, number in calls[::step]:
        shutil.copytree(before, root)
        killed += not crash_injection.kill_at_syscall(partial(serve, root), name, number)
        assert_all_counts_once(root, expected)
        shutil.rmtree(root)
    points = len(calls[::step])  # a process may make a call less often than the measured one
    assert killed >= min(0.9 * points, points - 1)  # the number of reads of a file differs between runs


def _measure(before: Path, action: Callable[[Path], T]) -> T:
    root = before.with_name("measured")
    shutil.copytree(before, root)
    return action(root)


# --- writers ---

EVENTS = 40


def count_events(root: Path, acknowledge: int) -> None:
    """Count events and acknowledge each on a pipe, with new series and a file that grows."""
    writer.install(root)
    counter = Counter("c", "help" * 50, ["label"], registry=None)
    histogram = Histogram("h", "help", registry=None)
    for number in range(EVENTS):
        counter.labels(str(number // 2)).inc()
        os.write(acknowledge, b".")
        histogram.observe(number)


def _acknowledged(root: Path, kill: Callable[[crash_injection.Action], bool]) -> tuple[bool, int]:
    """Kill a writer. Returns whether it finished before, and how many events it had acknowledged."""
    reader, acknowledge = os.pipe()
    finished = kill(partial(count_events, root, acknowledge))
    os.close(acknowledge)
    acknowledged = len(os.read(reader, 2 * EVENTS))
    os.close(reader)
    return finished, acknowledged


def assert_counted(root: Path, acknowledged: int) -> None:
    collector = FolderCollector(root)
    compact_all(collector)
    found = samples(collector.collect())
    collector.close()
    events = sum(value for (name, _), value in found.items() if name == "c_total")
    assert events in (acknowledged, acknowledged + 1)
    seen = sum(value for (name, _), value in found.items() if name == "h_count")
    assert seen in (acknowledged - 1, acknowledged, acknowledged + 1)


@pytest.mark.parametrize("kills", [20, pytest.param(400 * FACTOR, marks=SLOW)])
def test_writer_killed_at_random_lines(kills: int, folder: Path) -> None:
    measured = folder / "measured"
    measured.mkdir()  # as below: to make it takes a writer a few lines more
    lines = crash_injection.count_lines(lambda: count_events(measured, os.open(os.devnull, os.O_WRONLY)))
    chance = random.Random(SEED)
    for number in range(kills):
        root = folder / str(number)
        root.mkdir()
        point = chance.randint(1, lines)
        finished, acknowledged = _acknowledged(root, partial(crash_injection.kill_at_line, line=point))
        assert not finished
        assert_counted(root, acknowledged)


@NEEDS_STRACE
@pytest.mark.parametrize("step", [20, pytest.param(1, marks=SLOW)])
def test_writer_killed_at_each_syscall(step: int, folder: Path) -> None:
    calls = crash_injection.list_syscalls(lambda: count_events(folder / "measured", os.open(os.devnull, os.O_WRONLY)))
    killed = 0
    for index, (name, number) in enumerate(calls[::step]):
        root = folder / str(index)
        root.mkdir()
        finished, acknowledged = _acknowledged(root, partial(crash_injection.kill_at_syscall, name=name, number=number))
        killed += not finished
        assert_counted(root, acknowledged)
    points = len(calls[::step])  # a process may make a call less often than the measured one
    assert killed >= min(0.9 * points, points - 1)


# --- all at once ---


def serve_forever(root: Path, scrapes: int) -> None:
    collector = FolderCollector(root)
    while True:
        collector.compact(0.001)
        if collector.is_ready:
            found = samples(collector.collect())
            events = sum(value for (name, _), value in found.items() if name == "c_total")
            os.write(scrapes, f"{events}\n".encode())


@pytest.mark.parametrize("rounds", [5, pytest.param(40, marks=SLOW)])
def test_no_scrape_shows_less_than_the_one_before_while_services_and_writers_are_killed(
    rounds: int, folder: Path
) -> None:
    chance = random.Random(SEED)
    acknowledgements, acknowledge = os.pipe()
    scraped, scrapes = os.pipe()
    writers, acknowledged = 0, 0
    seen = b""
    for _ in range(rounds):
        service = crash_injection.fork(lambda: serve_forever(folder, scrapes))
        children = [
            crash_injection.fork(lambda: count_events(folder, acknowledge)) for _ in range(chance.randint(1, 3))
        ]
        writers += len(children)
        acknowledged += len(os.read(acknowledgements, chance.randint(1, EVENTS)))  # waits for the first event
        for _ in range(chance.randint(1, 3)):
            seen += os.read(scraped, 1000)  # waits for a scrape
        for child in (service, *children):
            os.kill(child, 9)
            os.waitpid(child, 0)
    os.close(acknowledge)
    os.close(scrapes)
    acknowledged += len(os.read(acknowledgements, 2 * EVENTS * writers))
    with os.fdopen(scraped, "rb") as rest:
        shown = [float(line) for line in (seen + rest.read()).split()]
    collector = FolderCollector(folder)
    compact_all(collector)
    counted = sum(value for (name, _), value in samples(collector.collect()).items() if name == "c_total")
    collector.close()
    assert acknowledged <= counted <= acknowledged + writers
    assert shown
    assert shown == sorted(shown)
    assert shown[-1] <= counted
