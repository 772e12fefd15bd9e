"""What a dead process leaves, what it takes along, and what flawed files, full disks and clocks do to it."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector
from agent_metrics.ledger import BadLedgerError, Folding
from agent_metrics.service import claim
from tests.agent_metrics.processes import PlayedProcess, fold_all, own_metric, samples, total, write

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[FolderCollector]:
    collector = FolderCollector(tmp_path)
    yield collector
    collector.close()


def dead(root: Path, value: float = 1, kind: str = "counter") -> PlayedProcess:
    process = PlayedProcess.start(root)
    process.write(kind, "m", value)
    return process.die()


def names_left(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.name != "agent-metrics")


def test_sums_and_extremes_survive_and_live_gauges_end(tmp_path: Path, collector: FolderCollector) -> None:
    process = PlayedProcess.start(tmp_path)
    for kind in ("counter", "histogram", "summary", "gauge_sum", "gauge_min", "gauge_max", "gauge_mostrecent"):
        process.write(kind, f"kept_{kind}", 2, timestamp=1)
    for kind in ("gauge_all", "gauge_liveall", "gauge_livesum", "gauge_livemin", "gauge_livemax"):
        process.write(kind, f"live_{kind}", 2)
    assert len(samples(collector.collect())) == 12
    process.die()
    before = samples(collector.collect())
    assert {name.partition("_")[0] for name, _ in before} == {"kept"}
    fold_all(collector)
    assert samples(collector.collect()) == before
    assert names_left(tmp_path) == []


@pytest.mark.parametrize("kind", ["counter", "gauge_max", "histogram"])
def test_what_names_a_machine_ends_with_its_process(kind: str, tmp_path: Path) -> None:
    """As livekit's own metrics do, by host name: that of each container is a new one, for ever."""
    collector = FolderCollector(tmp_path)
    for number in range(5):
        process = PlayedProcess.start(tmp_path)
        process.write(kind, "m", 1, nodename=f"host-{number}")
        process.write(kind, "other", 1, node="eu")
        assert total(collector, "m") == 1
        process.die()
        assert total(collector, "m") is None  # no more than a gauge of living processes, before it is folded too
        fold_all(collector)
        assert total(collector, "m") is None
    assert total(collector, "other") == (1 if kind == "gauge_max" else 5)
    assert own_metric(collector, "ledger_series") == 1
    collector.close()


def test_a_machine_that_an_older_ledger_names_is_forgotten(tmp_path: Path, collector: FolderCollector) -> None:
    fold_all(collector)
    collector.close()
    ledger = sqlite3.connect(tmp_path / "agent-metrics" / "ledger.sqlite")
    key = '["m", "m", {"nodename": "host"}, "help"]'
    ledger.execute("INSERT INTO series VALUES ('counter', ?, '1.0', NULL)", (key,))
    ledger.commit()
    ledger.close()
    again = FolderCollector(tmp_path)
    fold_all(again)
    assert total(again, "m") is None
    again.close()


def test_nothing_is_left_of_a_folded_process_but_its_numbers(tmp_path: Path, collector: FolderCollector) -> None:
    for number in range(20):
        dead(tmp_path / f"worker-{number % 3}")
    fold_all(collector)
    assert names_left(tmp_path) == []
    assert total(collector, "m") == 20
    assert own_metric(collector, "processes_folded_total") == 20
    assert collector._ledger.folded == {}


def test_values_of_a_dead_process_count_from_when_they_were_last_read(
    tmp_path: Path, collector: FolderCollector
) -> None:
    process = PlayedProcess.start(tmp_path)
    process.write("counter", "m", 5)
    assert total(collector, "m") == 5
    process.write("counter", "m", 6)
    process.die()
    assert total(collector, "m") == 5  # a scrape reads no file of the dead
    fold_all(collector)
    assert total(collector, "m") == 6


def test_a_service_is_ready_only_when_all_that_died_before_it_counts(tmp_path: Path) -> None:
    for _ in range(5):
        dead(tmp_path)
    collector = FolderCollector(tmp_path)
    assert not collector.is_ready
    slices = 0
    while not collector.is_ready:
        collector.fold(0)
        slices += 1
    assert slices >= 5
    assert total(collector, "m") == 5
    dead(tmp_path)
    assert collector.is_ready  # one that dies later has been counted, or will be
    collector.close()


def test_the_newest_value_wins_although_the_clock_was_put_back(tmp_path: Path) -> None:
    now = 1000.0
    collector = FolderCollector(tmp_path, clock=lambda: now)
    process = PlayedProcess.start(tmp_path)
    process.write("gauge_mostrecent", "m", 1, timestamp=5000)  # set before the clock was put back
    process.die()
    fold_all(collector)
    assert total(collector, "m") == 1
    living = PlayedProcess.start(tmp_path)
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


def test_a_metric_whose_mode_has_changed_shows_what_living_processes_say(
    tmp_path: Path, collector: FolderCollector
) -> None:
    dead(tmp_path, 7, "gauge_sum")
    fold_all(collector)
    living = PlayedProcess.start(tmp_path)
    living.write("gauge_livesum", "m", 1)
    assert total(collector, "m") == 1
    assert own_metric(collector, "series_left_out") == 1
    living.die()


# --- flawed files ---


def torn(path: Path, process: PlayedProcess) -> None:
    for number in range(200):  # more than the page in which a file begins
        process.write("counter", "m", 1, number=str(number))
    whole = path.read_bytes()
    path.write_bytes(whole[: int.from_bytes(whole[:4], sys.byteorder) // 3])


def backwards(path: Path, process: PlayedProcess) -> None:
    """An entry with a negative length, which leads back to the one before for ever."""
    process.write("counter", "m", 1)
    process.write("counter", "n", 1)
    content = bytearray(path.read_bytes())
    second = content.index(b'["n"') - 4
    content[second : second + 4] = (-second).to_bytes(4, sys.byteorder, signed=True)
    path.write_bytes(content)


def no_text(path: Path, process: PlayedProcess) -> None:
    process.write("counter", "m", 1)
    process.write("counter", "n", 1)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'["n", "n"', b'["\xff", "n"'))


def no_key(path: Path, process: PlayedProcess) -> None:
    process.write("counter", "m", 1)
    process.write("counter", "n", 1)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'["n", "n"', b'["n",  42'))


def huge(path: Path, process: PlayedProcess) -> None:
    path.touch()
    os.truncate(path, 2**31)


@pytest.mark.parametrize(
    ("damage", "reason", "kept"),
    [
        (torn, "truncated", 1),
        (backwards, "corrupt", 1),
        (no_text, "corrupt", 1),
        (no_key, "corrupt", 1),
        (huge, "corrupt", 0),
    ],
)
def test_what_can_be_read_of_a_flawed_file_counts_and_the_file_is_set_aside(
    damage: object, reason: str, kept: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process = PlayedProcess.start(tmp_path)
    assert callable(damage)
    damage(process.path("counter"), process)
    process.write("gauge_sum", "whole", 4)
    collector = FolderCollector(tmp_path)
    living = samples(collector.collect())
    assert len([name for name, _ in living if name == "m"]) >= kept
    process.die()
    fold_all(collector)
    assert samples(collector.collect()) == living
    assert own_metric(collector, "files_set_aside_total", {"reason": reason}) == 1
    is_kept = damage is not huge  # so large a file would fill the folder
    assert len(list((tmp_path / "agent-metrics" / "set-aside").iterdir())) == is_kept
    assert len([record for record in caplog.records if "set aside" in record.message]) == 1
    collector.close()


def test_foreign_files_of_a_dead_process_are_set_aside(tmp_path: Path, collector: FolderCollector) -> None:
    process = PlayedProcess.start(tmp_path)
    for name in ("notes.txt", "counter_1.db.bak", "teapot_1.db", "gauge_teapot_1.db"):
        (process.folder.path / name).write_text("hello")
    (process.folder.path / "folder").mkdir()
    (process.folder.path / "link").symlink_to("/nowhere")
    process.write("counter", "m", 3)
    process.die()
    fold_all(collector)
    assert total(collector, "m") == 3
    assert own_metric(collector, "files_set_aside_total", {"reason": "foreign"}) == 4
    assert names_left(tmp_path) == []


def test_flawed_and_foreign_unmanaged_files_never_fail_a_scrape(tmp_path: Path, collector: FolderCollector) -> None:
    write(tmp_path / "counter_1.db", "m", 3)
    (tmp_path / "counter_2.db").touch()
    (tmp_path / "counter_3.db").write_bytes(b"\x00\x01")
    (tmp_path / "counter_4.db").write_bytes(os.urandom(5000))
    (tmp_path / "teapot.db").write_text("hello")
    (tmp_path / "gauge_1.db").write_text("hello")
    (tmp_path / "directory.db").mkdir()
    (tmp_path / "p-no-folder").write_text("hello")
    (tmp_path / "link.db").symlink_to("/nowhere")
    assert total(collector, "m") == 3
    fold_all(collector)
    assert total(collector, "m") == 3
    assert own_metric(collector, "files_flawed", {"reason": "foreign"}) == 4
    assert (tmp_path / "counter_4.db").exists()  # whose process may live


def test_files_that_are_just_being_made_are_no_flaw(tmp_path: Path, collector: FolderCollector) -> None:
    process = PlayedProcess.start(tmp_path)
    process.path("counter").touch()
    process.path("histogram").write_bytes(bytes(4096))
    assert samples(collector.collect()) == {}
    assert sum(own_metric(collector, "files_flawed", {"reason": flaw}) or 0 for flaw in ("truncated", "corrupt")) == 0
    process.die()
    fold_all(collector)
    assert not (tmp_path / "agent-metrics" / "set-aside").exists()


def test_set_aside_files_do_not_pile_up(tmp_path: Path, collector: FolderCollector) -> None:
    for _ in range(120):
        process = PlayedProcess.start(tmp_path)
        (process.folder.path / "notes.txt").write_bytes(bytes(100_000))
        process.die()
    fold_all(collector)
    kept = list((tmp_path / "agent-metrics" / "set-aside").iterdir())
    assert 10 < len(kept) <= 100
    assert sum(path.stat().st_size for path in kept) <= 4 * 2**20
    assert own_metric(collector, "files_set_aside_total", {"reason": "foreign"}) == 120


# --- what the file system refuses ---


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)]
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


def test_a_full_disk_pauses_folding_and_changes_no_total(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    dead(small_disk, 3)
    collector = FolderCollector(small_disk)
    fold_all(collector)
    dead(small_disk, 4)
    filler = fill(small_disk)
    fold_all(collector)
    fold_all(collector)
    assert total(collector, "m") == 7
    assert own_metric(collector, "folding_paused") == 1
    assert own_metric(collector, "processes_waiting") == 1
    assert len([record for record in caplog.records if "paused" in record.message]) == 1
    assert (own_metric(collector, "last_fold_error_timestamp_seconds") or 0) > 0

    again = FolderCollector(small_disk)  # a service that starts while the disk is full
    fold_all(again)
    assert again.is_ready
    assert total(again, "m") == 7
    again.close()

    filler.unlink()
    fold_all(collector)
    assert own_metric(collector, "folding_paused") == 0
    assert total(collector, "m") == 7
    assert names_left(small_disk) == []
    collector.close()


def test_a_disk_that_is_full_from_the_beginning_is_served(small_disk: Path) -> None:
    dead(small_disk, 3)
    filler = fill(small_disk)
    collector = FolderCollector(small_disk)
    for _ in range(3):
        fold_all(collector)
        assert collector.is_ready
        assert total(collector, "m") == 3
    filler.unlink()
    fold_all(collector)
    assert total(collector, "m") == 3
    assert names_left(small_disk) == []
    collector.close()


def test_a_read_only_disk_pauses_folding_and_changes_no_total(small_disk: Path) -> None:
    dead(small_disk, 3)
    collector = FolderCollector(small_disk)
    fold_all(collector)
    collector.close()
    dead(small_disk, 4)
    living = PlayedProcess.start(small_disk)
    living.write("counter", "m", 5)
    lock = living.folder
    lock.release()  # or the disk is busy
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    collector = FolderCollector(small_disk)
    fold_all(collector)
    assert collector.is_ready
    assert total(collector, "m") == 12
    assert own_metric(collector, "folding_paused") == 1
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    fold_all(collector)
    assert own_metric(collector, "folding_paused") == 0
    assert total(collector, "m") == 12
    assert names_left(small_disk) == []
    collector.close()


@pytest.mark.parametrize("name", ["counter", "gauge_sum"])
def test_a_file_that_may_not_be_read_keeps_its_process_waiting(
    name: str, tmp_path: Path, collector: FolderCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = PlayedProcess.start(tmp_path)
    process.write("counter", "m", 5)
    process.write("gauge_sum", "n", 6)
    assert total(collector, "m") == 5
    process.die()
    refused = process.path(name)
    plain_stat = Path.stat

    def refuse(path: Path, **options: bool) -> os.stat_result:
        if path == refused:
            raise PermissionError(13, "Permission denied")
        return plain_stat(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", refuse)
        fold_all(collector)
        assert collector.is_ready
        assert (total(collector, "m"), total(collector, "n")) == (5, 6)
        assert own_metric(collector, "processes_waiting") == 1
    fold_all(collector)
    assert (total(collector, "m"), total(collector, "n")) == (5, 6)
    assert names_left(tmp_path) == []


def test_files_that_may_not_be_removed_do_not_count_twice(
    tmp_path: Path, collector: FolderCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = dead(tmp_path, 5)

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        fold_all(collector)
        assert total(collector, "m") == 5
        again = FolderCollector(tmp_path)
        collector.close()
        fold_all(again)
        assert total(again, "m") == 5
        assert process.folder.path.exists()
    fold_all(again)
    assert total(again, "m") == 5
    assert names_left(tmp_path) == []
    again.close()


def test_a_folder_that_may_not_be_listed_takes_nothing_from_the_totals(
    tmp_path: Path, collector: FolderCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = PlayedProcess.start(tmp_path / "worker-1")
    living.write("counter", "m", 5)
    assert total(collector, "m") == 5
    plain_scandir = os.scandir

    for refused in (tmp_path, tmp_path / "worker-1"):

        def refuse(path: object, refused: Path = refused) -> object:
            if Path(str(path)) == refused:
                raise PermissionError(13, "Permission denied")
            return plain_scandir(path)  # type: ignore[call-overload]

        with monkeypatch.context() as patch:
            patch.setattr(os, "scandir", refuse)
            fold_all(collector)
            assert total(collector, "m") == 5
    living.die()


@pytest.mark.skipif(not IS_ROOT, reason="somebody else can only be played by root")
def test_a_service_without_permission_to_write_serves_on() -> None:
    """Modes do not bind root, so the service of this test is somebody else."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    dead(root, 5)
    reader, writer = os.pipe()
    if not (child := os.fork()):
        try:
            os.setuid(65534)
            collector = FolderCollector(root)
            fold_all(collector)
            os.write(writer, f"{collector.is_ready} {total(collector, 'm')}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100) == b"True 5.0"
    shutil.rmtree(root)


# --- the ledger ---


def test_a_ledger_that_is_locked_by_somebody_who_looks_at_it_pauses_folding(
    tmp_path: Path, collector: FolderCollector
) -> None:
    dead(tmp_path, 1)
    fold_all(collector)
    somebody = sqlite3.connect(tmp_path / "agent-metrics" / "ledger.sqlite", isolation_level=None)
    somebody.execute("BEGIN EXCLUSIVE")
    dead(tmp_path, 2)
    fold_all(collector)
    assert own_metric(collector, "folding_paused") == 1
    somebody.execute("ROLLBACK")
    fold_all(collector)
    assert own_metric(collector, "folding_paused") == 0
    assert total(collector, "m") == 3
    somebody.close()


@pytest.mark.parametrize("folds_first", [True, False])
def test_two_services_on_one_ledger_lose_nothing(folds_first: bool, tmp_path: Path) -> None:
    """Where the service's lock was removed, or does nothing."""
    first, second = FolderCollector(tmp_path), FolderCollector(tmp_path)
    fold_all(first)
    fold_all(second)
    dead(tmp_path, 1)
    if folds_first:
        second.collect()  # so that it knows of it
    fold_all(first)
    dead(tmp_path, 2)
    second.fold(10)
    assert "changed by another program" in (second.status.paused_because or "")
    fold_all(second)
    assert second.status.paused_because is None
    dead(tmp_path, 4)
    for collector in (first, second):
        fold_all(collector)
        fold_all(collector)
        assert total(collector, "m") == 7
        collector.close()
    again = FolderCollector(tmp_path)
    fold_all(again)
    assert total(again, "m") == 7
    again.close()


def test_a_fold_between_the_look_at_the_ledger_and_the_commit_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = FolderCollector(tmp_path), FolderCollector(tmp_path)
    fold_all(first)
    fold_all(second)
    before_the_commit = second._ledger._with

    def fold_in_between(processes: list[Folding]) -> object:
        fold_all(first)
        return before_the_commit(processes)

    dead(tmp_path, 5)
    with monkeypatch.context() as patch:
        patch.setattr(second._ledger, "_with", fold_in_between)
        second.fold(10)
    assert "changed by another program" in (second.status.paused_because or "")
    for collector in (second, first, second):
        fold_all(collector)
        assert total(collector, "m") == 5
    first.close()
    second.close()


@pytest.mark.parametrize("content", [b"hello, I am no database at all" * 100, b"SQLite format 3\x00" + bytes(4096)])
def test_a_damaged_ledger_is_not_taken_for_an_empty_one(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "agent-metrics").mkdir()
    (tmp_path / "agent-metrics" / "ledger.sqlite").write_bytes(content)
    with pytest.raises(BadLedgerError):
        FolderCollector(tmp_path).fold(0)


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "agent-metrics").mkdir()
    newer = sqlite3.connect(tmp_path / "agent-metrics" / "ledger.sqlite")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(BadLedgerError, match="newer"):
        FolderCollector(tmp_path).fold(0)


def test_a_process_folded_by_a_commit_that_seemed_to_fail_counts_once(
    tmp_path: Path, collector: FolderCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold_all(collector)
    dead(tmp_path, 5)
    write_rows = collector._ledger._write

    def write_and_fail(*arguments: object) -> None:
        write_rows(*arguments)  # type: ignore[arg-type]
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(collector._ledger, "_write", write_and_fail)
        collector.fold(10)
        assert total(collector, "m") == 5
    fold_all(collector)
    assert total(collector, "m") == 5
    assert names_left(tmp_path) == []


# --- tidying up ---


def test_empty_folders_of_workers_and_processes_that_never_began_are_removed(
    tmp_path: Path, collector: FolderCollector
) -> None:
    (tmp_path / "worker-1").mkdir()
    (tmp_path / "worker-2").mkdir()
    (tmp_path / "worker-2" / "something").touch()
    (tmp_path / "somebody-elses").mkdir()
    just_starting, killed = tmp_path / ".p-1", tmp_path / ".p-2"
    for unborn in (just_starting, killed):
        unborn.mkdir()
        (unborn / "lock").touch()
    os.utime(killed, (time.time() - 100, time.time() - 100))
    for _ in range(3):
        collector.fold(10)
    assert names_left(tmp_path) == [".p-1", "somebody-elses", "worker-2"]


def test_a_process_is_dead_by_its_lock_whatever_its_pid(tmp_path: Path, collector: FolderCollector) -> None:
    """Ids stand for pids nowhere: in two containers that share the folder, both have pid 7."""
    first, second = PlayedProcess.start(tmp_path), PlayedProcess.start(tmp_path)
    for process in (first, second):
        process.write("counter", "m", 1)
        process.write("gauge_livesum", "n", 1)
    assert (total(collector, "m"), total(collector, "n")) == (2, 2)
    first.die()
    fold_all(collector)
    assert (total(collector, "m"), total(collector, "n")) == (2, 1)
    second.die()


# --- programs that remove old files ---


def test_what_is_in_use_never_looks_old(tmp_path: Path) -> None:
    """A cleaner of /tmp goes by a file's times, and writing to a mapped file does not show on them in a tmpfs."""
    now = 1000.0
    collector = FolderCollector(tmp_path, clock=lambda: now)
    own = tmp_path / "agent-metrics"
    living = PlayedProcess.start(tmp_path)
    living.write("counter", "m", 1)
    fold_all(collector)
    lock = claim(tmp_path)
    in_use = [living.folder.path / "lock", living.path("counter"), own / "ledger.sqlite", own / "service.lock"]
    for path in in_use:
        os.utime(path, (0, 0))
    collector.fold(10)
    assert {path.stat().st_mtime for path in in_use} == {0}  # once an hour is enough
    now += 3601
    collector.fold(10)
    assert all(path.stat().st_mtime > time.time() - 60 for path in in_use)
    collector.close()
    living.die()
    assert lock is not None
    os.close(lock)


def test_a_process_whose_lock_was_removed_lives_as_long_as_its_files_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1000.0
    collector = FolderCollector(tmp_path, clock=lambda: now)
    process = PlayedProcess.start(tmp_path)
    process.write("counter", "m", 1)
    process.write("gauge_livesum", "live", math.nan)  # which is never the same as before
    fold_all(collector)
    (process.folder.path / "lock").unlink()
    for value in (1, 2, 3):
        process.write("counter", "m", value)
        fold_all(collector)
        assert total(collector, "m") == value
        assert own_metric(collector, "processes_without_lock") == 1
        assert own_metric(collector, "processes_living") == 1
        now += 3500
    assert len([record for record in caplog.records if "was removed" in record.message]) == 1
    fold_all(collector)
    now += 200  # an hour since the last change
    fold_all(collector)
    assert total(collector, "m") == 3
    assert own_metric(collector, "processes_without_lock") == 0
    assert own_metric(collector, "processes_folded_total") == 1
    assert names_left(tmp_path) == []
    collector.close()
    process.die()


# --- what is removed ---


def test_removed_files_are_really_gone_before_their_id_is_forgotten(tmp_path: Path) -> None:
    process = dead(tmp_path, 5)
    copy = tmp_path.with_name(f"{tmp_path.name}-copy")
    shutil.copytree(process.folder.path, copy)
    collector = FolderCollector(tmp_path)
    collector.fold(10)
    assert list(collector._ledger.folded) == [process.folder.id]
    collector.close()
    again = FolderCollector(tmp_path)  # a service that was killed right after the commit
    fold_all(again)
    assert total(again, "m") == 5
    assert again._ledger.folded == {}
    again.close()
