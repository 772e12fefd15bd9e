"""Full and read-only disks, and files without permission: totals stay right and are served."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector
from tests.agent_metrics.fake_processes import (
    FakeProcess,
    compact_all,
    dead_process,
    names_left,
    status_metric,
    total,
)

IS_ROOT = os.geteuid() == 0
NOBODY = 65534


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "none", str(disk)]
    if not IS_ROOT or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return filler
    raise AssertionError("the disk is not small")


def test_a_full_disk_pauses_compaction_and_changes_no_total(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    dead_process(small_disk, 3)
    collector = FolderCollector(small_disk)
    compact_all(collector)
    dead_process(small_disk, 4)
    filler = fill(small_disk)
    compact_all(collector)
    compact_all(collector)
    assert total(collector, "m") == 7
    assert status_metric(collector, "folding_paused") == 1
    assert status_metric(collector, "processes_waiting") == 1
    assert len([record for record in caplog.records if "paused" in record.message]) == 1
    assert (status_metric(collector, "last_fold_error_timestamp_seconds") or 0) > 0

    again = FolderCollector(small_disk)  # a service that starts while the disk is full
    compact_all(again)
    assert again.is_ready
    assert total(again, "m") == 7
    again.close()

    filler.unlink()
    compact_all(collector)
    assert status_metric(collector, "folding_paused") == 0
    assert total(collector, "m") == 7
    assert names_left(small_disk) == []
    collector.close()


def test_a_disk_that_is_full_from_the_start_is_served(small_disk: Path) -> None:
    dead_process(small_disk, 3)
    filler = fill(small_disk)
    collector = FolderCollector(small_disk)
    for _ in range(3):
        compact_all(collector)
        assert collector.is_ready
        assert total(collector, "m") == 3
    filler.unlink()
    compact_all(collector)
    assert total(collector, "m") == 3
    assert names_left(small_disk) == []
    collector.close()


def test_a_read_only_disk_pauses_compaction_and_changes_no_total(small_disk: Path) -> None:
    dead_process(small_disk, 3)
    collector = FolderCollector(small_disk)
    compact_all(collector)
    collector.close()
    dead_process(small_disk, 4)
    living = FakeProcess.start(small_disk)
    living.write("counter", "m", 5)
    lock = living.folder
    lock.release()  # or the disk is busy
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    collector = FolderCollector(small_disk)
    compact_all(collector)
    assert collector.is_ready
    assert total(collector, "m") == 12
    assert status_metric(collector, "folding_paused") == 1
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    compact_all(collector)
    assert status_metric(collector, "folding_paused") == 0
    assert total(collector, "m") == 12
    assert names_left(small_disk) == []
    collector.close()


# --- permissions ---


def run_as_ordinary_user(body: Callable[[Path], None]) -> None:
    """Run the body, in a child process, as a user whom permissions bind, with a folder of that user."""
    root = Path(tempfile.mkdtemp())
    if not (child := os.fork()):
        code = 1
        try:
            if IS_ROOT:
                os.chown(root, NOBODY, NOBODY)
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            body(root)
            code = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    shutil.rmtree(root)
    assert os.waitstatus_to_exitcode(status) == 0, "see the traceback on stderr"


@pytest.mark.parametrize("name", ["counter", "gauge_sum"])
def test_a_process_with_an_unreadable_file_waits_and_keeps_its_last_values(name: str) -> None:
    def body(root: Path) -> None:
        collector = FolderCollector(root)
        process = FakeProcess.start(root)
        process.write("counter", "m", 5)
        process.write("gauge_sum", "n", 6)
        assert total(collector, "m") == 5
        process.die()
        process.path(name).chmod(0)
        compact_all(collector)
        assert collector.is_ready
        assert (total(collector, "m"), total(collector, "n")) == (5, 6)
        assert status_metric(collector, "processes_waiting") == 1
        process.path(name).chmod(0o644)
        compact_all(collector)
        assert (total(collector, "m"), total(collector, "n")) == (5, 6)
        assert names_left(root) == []

    run_as_ordinary_user(body)


def test_files_that_cannot_be_removed_do_not_count_twice() -> None:
    def body(root: Path) -> None:
        process = dead_process(root, 5)
        process.folder.path.chmod(0o555)
        for _ in range(2):  # the second collector finds the files of a process that is in the ledger
            collector = FolderCollector(root)
            compact_all(collector)
            assert total(collector, "m") == 5
            assert process.path("counter").exists()
            collector.close()
        process.folder.path.chmod(0o755)
        collector = FolderCollector(root)
        compact_all(collector)
        assert total(collector, "m") == 5
        assert names_left(root) == []

    run_as_ordinary_user(body)


@pytest.mark.parametrize("refused", [".", "worker-1"])
def test_a_folder_that_cannot_be_listed_takes_nothing_from_the_totals(refused: str) -> None:
    def body(root: Path) -> None:
        living = FakeProcess.start(root / "worker-1")
        living.write("counter", "m", 5)
        collector = FolderCollector(root)
        assert total(collector, "m") == 5
        (root / refused).chmod(0o300)
        with pytest.raises(PermissionError):
            os.listdir(root / refused)
        compact_all(collector)
        assert total(collector, "m") == 5
        (root / refused).chmod(0o755)

    run_as_ordinary_user(body)


def test_a_collector_without_write_permission_serves() -> None:
    def body(root: Path) -> None:
        dead_process(root, 5)
        root.chmod(0o555)
        collector = FolderCollector(root)
        compact_all(collector)
        assert collector.is_ready
        assert total(collector, "m") == 5
        root.chmod(0o755)

    run_as_ordinary_user(body)
