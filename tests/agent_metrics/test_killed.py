"""kill -9 of writers and of the service, 1,800 times: nothing is lost but the event in flight, nothing counts twice.

`KILL_FACTOR=10` kills at ten times as many lines, chosen by `KILL_SEED`. Of syscalls each one is tried anyway.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from prometheus_client import Counter, Histogram, values

from agent_metrics import writer
from agent_metrics.collector import FolderCollector
from tests.agent_metrics import killing
from tests.agent_metrics.processes import PlayedProcess, Samples, fast_folder, fold_all, own_metric, samples

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

FACTOR = int(os.environ.get("KILL_FACTOR", "1"))
T = TypeVar("T")
SEED = int(os.environ.get("KILL_SEED", "7"))


@pytest.fixture
def folder() -> Iterator[Path]:
    with fast_folder() as path:
        yield path


# --- the service ---


@pytest.fixture
def before(folder: Path) -> Path:
    """A folder with a ledger, three dead processes (one with a torn file), and one that was killed at birth."""
    template = folder / "template"
    _dead(template, 1)
    collector = FolderCollector(template)
    fold_all(collector)
    collector.close()
    for value in (10, 100):
        _dead(template / "worker-1", value)
    torn = _dead(template, 1000)
    (torn.folder.path / "notes.txt").write_text("hello")
    (template / ".p-unborn").mkdir()
    os.utime(template / ".p-unborn", (0, 0))
    return template


def _dead(root: Path, value: float) -> PlayedProcess:
    process = PlayedProcess.start(root)
    process.write("counter", "c", value)
    process.write("histogram", "h", value / 3)
    process.write("gauge_mostrecent", "g", value, timestamp=value)
    process.write("gauge_livesum", "live", value)
    return process.die()


def serve(root: Path) -> None:
    """What a service does: start, fold everything, be scraped, stop."""
    collector = FolderCollector(root)
    while collector.fold(0):
        if collector.is_ready:
            list(collector.collect())
    fold_all(collector)
    collector.close()


def assert_all_counts_once(root: Path, expected: Samples) -> None:
    collector = FolderCollector(root)
    while not collector.is_ready:
        collector.fold(0)
    assert samples(collector.collect()) == expected
    fold_all(collector)
    fold_all(collector)
    assert samples(collector.collect()) == expected
    assert own_metric(collector, "folding_paused") == 0
    collector.close()
    assert [path.name for path in root.iterdir()] == ["agent-metrics"]
    assert len(list((root / "agent-metrics" / "set-aside").iterdir())) == 1


def expected_of(before: Path) -> Samples:
    root = before.with_name("expected")
    shutil.copytree(before, root)
    collector = FolderCollector(root)
    fold_all(collector)
    found = samples(collector.collect())
    collector.close()
    assert {name: value for (name, _), value in found.items()} == {"c": 1111, "h": 1111 / 3, "g": 1000}
    return found


def test_service_killed_at_any_line(folder: Path, before: Path) -> None:
    expected = expected_of(before)
    lines = _measure(before, lambda root: killing.count_lines(lambda: serve(root)))
    chance = random.Random(SEED)
    killed = 0
    while killed < 800 * FACTOR:
        root = folder / "root"
        shutil.copytree(before, root)
        for _ in range(chance.randint(1, 3)):  # and again while it comes back
            killed += not killing.kill_at_line(partial(serve, root), chance.randint(1, lines))
        assert_all_counts_once(root, expected)
        shutil.rmtree(root)


@pytest.mark.skipif(not killing.can_trace_syscalls(), reason="no strace, or it may not trace")
def test_service_killed_at_every_syscall(folder: Path, before: Path) -> None:
    expected = expected_of(before)
    calls = _measure(before, lambda root: killing.list_syscalls(lambda: serve(root)))
    assert {"fdatasync", "unlink", "pwrite64", "rmdir"} <= {name for name, _ in calls}
    root = folder / "root"
    killed = 0
    for name, number in calls:
        shutil.copytree(before, root)
        killed += not killing.kill_at_syscall(partial(serve, root), name, number)
        assert_all_counts_once(root, expected)
        shutil.rmtree(root)
    assert killed >= 0.95 * len(calls)  # how often a file is read may depend on the run


def _measure(before: Path, action: Callable[[Path], T]) -> T:
    root = before.with_name("measured")
    shutil.copytree(before, root)
    return action(root)


# --- writers ---

EVENTS = 40


def talk(root: Path, acknowledge: int) -> None:
    """A process that counts events, each with a word after it: with new series, and a file that grows."""
    values.ValueClass = values.MutexValue
    writer.install(root)
    counter = Counter("c", "help" * 50, ["label"], registry=None)
    histogram = Histogram("h", "help", registry=None)
    for number in range(EVENTS):
        counter.labels(str(number // 2)).inc()
        os.write(acknowledge, b".")
        histogram.observe(number)


def _acknowledged(root: Path, kill: Callable[[killing.Action], bool]) -> tuple[bool, int]:
    """Kill a writer. Returns whether it came to its end before, and how many events it had acknowledged."""
    reader, acknowledge = os.pipe()
    ended = kill(partial(talk, root, acknowledge))
    os.close(acknowledge)
    words = len(os.read(reader, 2 * EVENTS))
    os.close(reader)
    return ended, words


def assert_counted(root: Path, acknowledged: int) -> None:
    collector = FolderCollector(root)
    fold_all(collector)
    found = samples(collector.collect())
    collector.close()
    events = sum(value for (name, _), value in found.items() if name == "c_total")
    assert events in (acknowledged, acknowledged + 1)
    seen = sum(value for (name, _), value in found.items() if name == "h_count")
    assert seen in (acknowledged - 1, acknowledged, acknowledged + 1)


def test_writer_killed_at_any_line(folder: Path) -> None:
    lines = killing.count_lines(lambda: talk(folder / "measured", os.open(os.devnull, os.O_WRONLY)))
    chance = random.Random(SEED)
    for number in range(400 * FACTOR):
        root = folder / str(number)
        root.mkdir()
        point = chance.randint(1, lines)
        ended, acknowledged = _acknowledged(root, partial(killing.kill_at_line, line=point))
        assert not ended
        assert_counted(root, acknowledged)


@pytest.mark.skipif(not killing.can_trace_syscalls(), reason="no strace, or it may not trace")
def test_writer_killed_at_every_syscall(folder: Path) -> None:
    calls = killing.list_syscalls(lambda: talk(folder / "measured", os.open(os.devnull, os.O_WRONLY)))
    killed = 0
    for index, (name, number) in enumerate(calls):
        root = folder / str(index)
        root.mkdir()
        ended, acknowledged = _acknowledged(root, partial(killing.kill_at_syscall, name=name, number=number))
        killed += not ended
        assert_counted(root, acknowledged)
    assert killed >= 0.95 * len(calls)


# --- all at once ---


def serve_for_ever(root: Path, scrapes: int) -> None:
    collector = FolderCollector(root)
    while True:
        collector.fold(0.001)
        if collector.is_ready:
            found = samples(collector.collect())
            events = sum(value for (name, _), value in found.items() if name == "c_total")
            os.write(scrapes, f"{events}\n".encode())


def test_no_scrape_shows_less_than_the_one_before_while_services_and_writers_are_killed(folder: Path) -> None:
    chance = random.Random(SEED)
    acks, acknowledge = os.pipe()
    scraped, scrapes = os.pipe()
    writers = 0
    for _ in range(40):
        service = killing.forked(lambda: serve_for_ever(folder, scrapes))
        children = [killing.forked(lambda: talk(folder, acknowledge)) for _ in range(chance.randint(1, 3))]
        writers += len(children)
        time.sleep(chance.uniform(0, 0.03))
        for child in (service, *children):
            os.kill(child, 9)
            os.waitpid(child, 0)
    collector = FolderCollector(folder)
    fold_all(collector)
    counted = sum(value for (name, _), value in samples(collector.collect()).items() if name == "c_total")
    collector.close()
    os.close(acknowledge)
    os.close(scrapes)
    acknowledged = len(os.read(acks, 2 * EVENTS * writers))
    assert acknowledged <= counted <= acknowledged + writers
    with os.fdopen(scraped) as lines:
        seen = [float(line) for line in lines]
    assert seen
    assert seen == sorted(seen)
    assert seen[-1] <= counted
