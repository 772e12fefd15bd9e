"""Removal of leftovers, and protection from programs that remove old files."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector
from agent_metrics.storage.folder import acquire_service_lock
from tests.agent_metrics.fake_processes import FakeProcess, compact_all, names_left, status_metric, total


def test_leftovers_of_killed_starts_and_empty_worker_folders_are_removed(tmp_path: Path) -> None:
    now = 1000.0
    collector = FolderCollector(tmp_path, clock=lambda: now)
    (tmp_path / "worker-1").mkdir()
    (tmp_path / "worker-2").mkdir()
    (tmp_path / "worker-2" / "something").touch()
    (tmp_path / "foreign").mkdir()
    starting, killed = tmp_path / ".p-1", tmp_path / ".p-2"
    for pending, age_s in ((starting, 59), (killed, 61)):
        pending.mkdir()
        (pending / "lock").touch()
        os.utime(pending, (now - age_s, now - age_s))
    for _ in range(3):
        collector.compact(10)
    assert names_left(tmp_path) == [".p-1", "foreign", "worker-2"]
    collector.close()


def test_files_in_use_are_touched_once_an_hour(tmp_path: Path) -> None:
    """Cleaners of /tmp go by a file's times; in a tmpfs, writing to a mapped file does not change them."""
    now = 1000.0
    collector = FolderCollector(tmp_path, clock=lambda: now)
    own = tmp_path / "agent-metrics"
    living = FakeProcess.start(tmp_path)
    living.write("counter", "m", 1)
    compact_all(collector)
    lock = acquire_service_lock(tmp_path)
    in_use = [living.folder.path / "lock", living.path("counter"), own / "ledger.sqlite", own / "service.lock"]
    for path in in_use:
        os.utime(path, (0, 0))
    collector.compact(10)
    assert {path.stat().st_mtime for path in in_use} == {0}
    now += 3601
    collector.compact(10)
    assert 0 not in {path.stat().st_mtime for path in in_use}
    collector.close()
    living.die()
    assert lock is not None
    os.close(lock)


def test_a_process_without_its_lock_lives_as_long_as_its_files_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1000.0
    collector = FolderCollector(tmp_path, clock=lambda: now)
    process = FakeProcess.start(tmp_path)
    process.write("counter", "m", 1)
    process.write("gauge_livesum", "live", math.nan)  # not equal to itself
    compact_all(collector)
    (process.folder.path / "lock").unlink()
    for value in (1, 2, 3):
        process.write("counter", "m", value)
        compact_all(collector)
        assert total(collector, "m") == value
        assert status_metric(collector, "processes_without_lock") == 1
        assert status_metric(collector, "processes_living") == 1
        now += 3500
    assert len([record for record in caplog.records if "was removed" in record.message]) == 1
    compact_all(collector)
    now += 200  # an hour since the last change
    compact_all(collector)
    assert total(collector, "m") == 3
    assert status_metric(collector, "processes_without_lock") == 0
    assert status_metric(collector, "processes_folded_total") == 1
    assert names_left(tmp_path) == []
    collector.close()
    process.die()
