"""The ledger: exclusive writes, damaged files, and commits whose result is unknown."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent_metrics.collector import FolderCollector
from agent_metrics.storage.ledger import BadLedgerError, DeadProcess, Ledger
from agent_metrics.storage.value_files import FileContents
from tests.agent_metrics.fake_processes import compact_all, dead_process, names_left, status_metric, total

KEY = '["m", "m", {}, "help"]'


def test_a_ledger_locked_by_another_program_pauses_compaction(tmp_path: Path, collector: FolderCollector) -> None:
    dead_process(tmp_path, 1)
    compact_all(collector)
    other_program = sqlite3.connect(tmp_path / "agent-metrics" / "ledger.sqlite", isolation_level=None)
    other_program.execute("BEGIN EXCLUSIVE")
    dead_process(tmp_path, 2)
    compact_all(collector)
    assert status_metric(collector, "folding_paused") == 1
    other_program.execute("ROLLBACK")
    compact_all(collector)
    assert status_metric(collector, "folding_paused") == 0
    assert total(collector, "m") == 3
    other_program.close()


@pytest.mark.parametrize("first_compacts_known_process", [True, False])
def test_two_collectors_on_one_ledger_lose_nothing(first_compacts_known_process: bool, tmp_path: Path) -> None:
    """As where the lock of the service was removed, or has no effect."""
    first, second = FolderCollector(tmp_path), FolderCollector(tmp_path)
    compact_all(first)
    compact_all(second)
    dead_process(tmp_path, 1)
    if first_compacts_known_process:
        second.collect()  # it knows of the process now
    compact_all(first)
    dead_process(tmp_path, 2)
    second.compact(10)
    assert "changed by another program" in (second.status.pause_reason or "")
    compact_all(second)
    assert second.status.pause_reason is None
    dead_process(tmp_path, 4)
    for collector in (first, second):
        compact_all(collector)
        compact_all(collector)
        assert total(collector, "m") == 7
        collector.close()
    again = FolderCollector(tmp_path)
    compact_all(again)
    assert total(again, "m") == 7
    again.close()


def test_a_commit_does_not_overwrite_one_that_came_after_its_totals_were_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    file = FileContents(tmp_path, "counter", "p-1", [(KEY, 5.0, 0.0)])

    def clock() -> float:  # a ledger asks for the time when it merges, between its check and its transaction
        other = Ledger(path)
        other.compact([DeadProcess("p-1", "p-1", files=[file])], [])
        other.close()
        return 1000.0

    ledger = Ledger(path, clock)
    ledger.open()
    with pytest.raises(sqlite3.OperationalError, match="changed by another program"):
        ledger.compact([DeadProcess("p-2", "p-2")], [])
    ledger.open()
    assert ledger.totals.amounts == {"counter": {KEY: [5.0]}}
    assert set(ledger.compacted) == {"p-1"}
    ledger.close()


@pytest.mark.parametrize("content", [b"hello, I am no database at all" * 100, b"SQLite format 3\x00" + bytes(4096)])
def test_a_damaged_ledger_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "agent-metrics").mkdir()
    (tmp_path / "agent-metrics" / "ledger.sqlite").write_bytes(content)
    with pytest.raises(BadLedgerError):
        FolderCollector(tmp_path).compact(0)


@pytest.mark.parametrize(
    "row",
    [
        ("counter", KEY, "many", None),
        ("gauge_mostrecent", KEY, "", 1.0),
        ("gauge_mostrecent", KEY, "1", "never"),
        ("gauge_livesum", KEY, "1", None),
        ("gauge_teapot", KEY, "1", None),
        (b"counter", KEY, "1", None),
    ],
)
def test_a_ledger_with_values_that_nobody_wrote_is_refused(row: tuple[object, ...], tmp_path: Path) -> None:
    collector = FolderCollector(tmp_path)
    compact_all(collector)
    collector.close()
    ledger = sqlite3.connect(tmp_path / "agent-metrics" / "ledger.sqlite")
    with ledger:
        ledger.execute("INSERT INTO series VALUES (?, ?, ?, ?)", row)
    ledger.close()
    with pytest.raises(BadLedgerError, match="holds series"):
        FolderCollector(tmp_path).compact(0)


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agent-metrics").mkdir()
    newer = sqlite3.connect(tmp_path / "agent-metrics" / "ledger.sqlite")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(BadLedgerError, match="newer"):
        FolderCollector(tmp_path).compact(0)


class FailingAfterCommit(sqlite3.Connection):
    """A connection whose next commit succeeds and reports an error, as on a disk with I/O errors."""

    fails = False

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        cursor = super().execute(sql, *parameters)
        if sql == "COMMIT" and type(self).fails:
            type(self).fails = False
            raise sqlite3.OperationalError("disk I/O error")
        return cursor


def test_a_process_whose_commit_seemed_to_fail_counts_once(tmp_path: Path) -> None:
    collector = FolderCollector(tmp_path, connect=partial(sqlite3.connect, factory=FailingAfterCommit))
    compact_all(collector)
    dead_process(tmp_path, 5)
    FailingAfterCommit.fails = True
    collector.compact(10)
    assert not FailingAfterCommit.fails
    assert "disk I/O error" in (collector.status.pause_reason or "")
    assert total(collector, "m") == 5
    compact_all(collector)
    assert total(collector, "m") == 5
    assert names_left(tmp_path) == []
    collector.close()
