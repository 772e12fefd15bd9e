"""Compaction: what a dead process leaves in the totals, and what ends with it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector
from tests.agent_metrics.fake_processes import (
    FakeProcess,
    compact_all,
    dead_process,
    names_left,
    samples,
    status_metric,
    total,
)


def ledger_rows(root: Path, table: str) -> int:
    with contextlib.closing(sqlite3.connect(root / "agent-metrics" / "ledger.sqlite")) as ledger:
        count: int = ledger.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return count


def test_totals_are_kept_and_live_gauges_end_with_the_process(tmp_path: Path, collector: FolderCollector) -> None:
    process = FakeProcess.start(tmp_path)
    for kind in ("counter", "histogram", "summary", "gauge_sum", "gauge_min", "gauge_max", "gauge_mostrecent"):
        process.write(kind, f"kept_{kind}", 2, timestamp=1)
    for kind in ("gauge_all", "gauge_liveall", "gauge_livesum", "gauge_livemin", "gauge_livemax"):
        process.write(kind, f"live_{kind}", 2)
    assert len(samples(collector.collect())) == 12
    process.die()
    before = samples(collector.collect())
    assert {name.partition("_")[0] for name, _ in before} == {"kept"}
    compact_all(collector)
    assert samples(collector.collect()) == before
    assert names_left(tmp_path) == []


@pytest.mark.parametrize("kind", ["counter", "gauge_max", "histogram"])
def test_series_with_a_host_label_end_with_their_process(kind: str, tmp_path: Path) -> None:
    """livekit's own metrics have one: the host name of each container is a new one."""
    collector = FolderCollector(tmp_path)
    for number in range(5):
        process = FakeProcess.start(tmp_path)
        process.write(kind, "m", 1, nodename=f"host-{number}")
        process.write(kind, "other", 1, node="eu")
        assert total(collector, "m") == 1
        process.die()
        assert total(collector, "m") is None  # no more than a gauge of living processes, before it is folded too
        compact_all(collector)
        assert total(collector, "m") is None
    assert total(collector, "other") == (1 if kind == "gauge_max" else 5)
    assert status_metric(collector, "ledger_series") == 1
    collector.close()


def test_series_with_a_host_label_in_an_older_ledger_are_ignored(tmp_path: Path, collector: FolderCollector) -> None:
    compact_all(collector)
    collector.close()
    ledger = sqlite3.connect(tmp_path / "agent-metrics" / "ledger.sqlite")
    key = '["m", "m", {"nodename": "host"}, "help"]'
    ledger.execute("INSERT INTO series VALUES ('counter', ?, '1.0', NULL)", (key,))
    ledger.commit()
    ledger.close()
    again = FolderCollector(tmp_path)
    compact_all(again)
    assert total(again, "m") is None
    again.close()


def test_files_and_ids_of_compacted_processes_are_removed(tmp_path: Path, collector: FolderCollector) -> None:
    for number in range(20):
        dead_process(tmp_path / f"worker-{number % 3}")
    compact_all(collector)
    assert names_left(tmp_path) == []
    assert total(collector, "m") == 20
    assert status_metric(collector, "processes_folded_total") == 20
    assert ledger_rows(tmp_path, "folded") == 0


def test_a_dead_process_counts_with_what_was_last_read_until_its_compaction(
    tmp_path: Path, collector: FolderCollector
) -> None:
    process = FakeProcess.start(tmp_path)
    process.write("counter", "m", 5)
    assert total(collector, "m") == 5
    process.write("counter", "m", 6)
    process.die()
    assert total(collector, "m") == 5  # a scrape reads no file of the dead
    compact_all(collector)
    assert total(collector, "m") == 6


def test_the_collector_is_ready_when_all_processes_that_died_before_count(tmp_path: Path) -> None:
    for _ in range(5):
        dead_process(tmp_path)
    collector = FolderCollector(tmp_path)
    assert not collector.is_ready
    slices = 0
    while not collector.is_ready:
        collector.compact(0)
        slices += 1
    assert slices >= 5
    assert total(collector, "m") == 5
    dead_process(tmp_path)
    assert collector.is_ready  # one that dies later has been counted, or will be
    collector.close()


def test_the_most_recent_value_wins_after_the_clock_was_put_back(tmp_path: Path) -> None:
    now = 1000.0
    collector = FolderCollector(tmp_path, clock=lambda: now)
    process = FakeProcess.start(tmp_path)
    process.write("gauge_mostrecent", "m", 1, timestamp=5000)  # set before the clock was put back
    process.die()
    compact_all(collector)
    assert total(collector, "m") == 1
    living = FakeProcess.start(tmp_path)
    now = 1001.0
    living.write("gauge_mostrecent", "m", 2, timestamp=1000.5)
    assert total(collector, "m") == 2
    now = 500.0  # and once more, below what the ledger has
    assert total(collector, "m") is not None
    now = 510.0
    living.write("gauge_mostrecent", "m", 3, timestamp=505)
    assert total(collector, "m") == 3
    collector.close()
    living.die()


def test_living_processes_decide_on_the_mode_of_a_metric(tmp_path: Path, collector: FolderCollector) -> None:
    dead_process(tmp_path, 7, "gauge_sum")
    compact_all(collector)
    living = FakeProcess.start(tmp_path)
    living.write("gauge_livesum", "m", 1)
    assert total(collector, "m") == 1
    assert status_metric(collector, "series_left_out") == 1
    living.die()


def test_a_process_is_dead_when_its_lock_is_released(tmp_path: Path, collector: FolderCollector) -> None:
    first, second = FakeProcess.start(tmp_path), FakeProcess.start(tmp_path)
    for process in (first, second):
        process.write("counter", "m", 1)
        process.write("gauge_livesum", "n", 1)
    assert (total(collector, "m"), total(collector, "n")) == (2, 2)
    first.die()
    compact_all(collector)
    assert (total(collector, "m"), total(collector, "n")) == (2, 1)
    second.die()


def test_a_process_whose_removal_was_interrupted_counts_once(tmp_path: Path) -> None:
    dead_process(tmp_path, 5)
    collector = FolderCollector(tmp_path)
    collector.compact(10)
    assert ledger_rows(tmp_path, "folded") == 1
    collector.close()
    again = FolderCollector(tmp_path)  # as after a kill between the commit and the removal
    compact_all(again)
    assert total(again, "m") == 5
    assert ledger_rows(tmp_path, "folded") == 0
    again.close()
