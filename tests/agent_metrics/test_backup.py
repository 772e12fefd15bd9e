"""Copies of the ledger: made beside a running service, restored without one, and kill -9 in between."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector
from agent_metrics.storage.backup import BackupError, back_up, restore
from agent_metrics.storage.ledger import BadLedgerError, NewerLedgerError
from agent_metrics.storage.trusted import UntrustedError
from tests.agent_metrics import crash_injection
from tests.agent_metrics.fake_processes import FakeProcess, compact_all, dead_process, total
from tests.agent_metrics.service_processes import running, stderr_of_refusal

SLOW = [pytest.mark.slow, pytest.mark.timeout(3600)]
NEEDS_STRACE = pytest.mark.skipif(
    not crash_injection.can_trace_syscalls(), reason="strace is missing, or not permitted"
)
SEED = int(os.environ.get("KILL_SEED", "7"))


def ledger_of(root: Path) -> Path:
    return root / "agent-metrics" / "ledger.sqlite"


def counted(root: Path) -> float | None:
    """Return what a service of this folder serves of the metric `m`."""
    collector = FolderCollector(root)
    compact_all(collector)
    found = total(collector, "m")
    collector.close()
    return found


def restored(root: Path, copy: Path, *, replace: bool = False) -> Path:
    with copy.open("rb") as file:
        restore(root, file, replace=replace)
    return root


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "agent_metrics", *map(str, arguments)], input=stdin, capture_output=True, check=False
    )


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """Return a folder in which ended processes have counted 7."""
    root = tmp_path / "served"
    root.mkdir(0o700)
    dead_process(root, 3)
    dead_process(root, 4)
    assert counted(root) == 7
    return root


@pytest.fixture
def copy(served: Path, tmp_path: Path) -> Path:
    """Return a copy of its ledger."""
    path = tmp_path / "copy.sqlite"
    back_up(served, path)
    return path


# --- backup ---


def test_a_copy_has_the_totals_of_ended_processes_and_leaves_the_ledger_as_it_was(served: Path, tmp_path: Path) -> None:
    before = ledger_of(served).read_bytes()
    back_up(served, tmp_path / "copy.sqlite")
    assert ledger_of(served).read_bytes() == before
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o777 == 0o600
    assert counted(restored(tmp_path / "other", tmp_path / "copy.sqlite")) == 7


def test_a_copy_is_made_between_two_commits_of_a_service(served: Path, tmp_path: Path) -> None:
    collector = FolderCollector(served)
    compact_all(collector)
    dead_process(served, 10)
    compact_all(collector)
    back_up(served, tmp_path / "copy.sqlite")
    dead_process(served, 100)
    compact_all(collector)  # it takes the copy for no change of its ledger
    assert collector.status.pause_reason is None
    assert total(collector, "m") == 117
    collector.close()
    assert counted(restored(tmp_path / "other", tmp_path / "copy.sqlite")) == 17


def test_a_copy_never_overwrites_a_file(served: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.sqlite").write_text("an earlier one")
    with pytest.raises(BackupError, match="exists: choose another name"):
        back_up(served, tmp_path / "copy.sqlite")
    assert (tmp_path / "copy.sqlite").read_text() == "an earlier one"


def test_a_folder_without_a_ledger_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="there is no ledger in"):
        back_up(tmp_path, tmp_path / "copy.sqlite")


def test_nothing_is_left_of_a_copy_that_failed(served: Path, tmp_path: Path) -> None:
    ledger_of(served).write_text("hello" * 1000)
    with pytest.raises(BadLedgerError):
        back_up(served, tmp_path / "copy.sqlite")
    assert not list(tmp_path.glob("copy*"))


# --- restore ---


def test_a_copy_counts_once_beside_processes_that_ended_after_it(served: Path, copy: Path) -> None:
    dead_process(served, 10)
    assert counted(restored(served, copy, replace=True)) == 17


def test_a_process_whose_files_were_still_there_when_the_copy_was_made_counts_once(tmp_path: Path) -> None:
    """As when the service was killed after its commit, before it removed the files."""
    root, template = tmp_path / "root", tmp_path / "template"
    template.mkdir(0o700)
    dead_process(template, 5)
    shutil.copytree(template, root)
    counted(template)
    shutil.copytree(root, template, dirs_exist_ok=True)
    with sqlite3.connect(ledger_of(template)) as ledger:
        (process,) = (path.name for path in template.iterdir() if path.name.startswith("p-"))
        ledger.execute("INSERT INTO folded VALUES (?, ?, '')", (process, process))
    ledger.close()
    back_up(template, tmp_path / "copy.sqlite")
    assert counted(restored(template, tmp_path / "copy.sqlite", replace=True)) == 5


def test_a_served_folder_is_refused(served: Path, copy: Path) -> None:
    with running(served):
        result = run("restore", "--replace", copy, "--dir", served)
    assert result.returncode == 2
    assert b"another agent-metrics serves" in result.stderr
    assert counted(served) == 7


@pytest.mark.parametrize("holds", ["a ledger", "a living process", "an unmanaged file"])
def test_a_folder_that_holds_metrics_is_refused_unless_its_ledger_is_to_be_replaced(
    holds: str, served: Path, copy: Path, tmp_path: Path
) -> None:
    root = served if holds == "a ledger" else tmp_path / "other"
    process = FakeProcess.start(root) if holds == "a living process" else None
    if holds == "an unmanaged file":
        root.mkdir(0o700)
        (root / "counter_1.db").touch()
    with pytest.raises(BackupError, match="holds metrics: choose an empty --dir, or --replace"):
        restored(root, copy)
    assert counted(restored(root, copy, replace=True)) == 7
    if process:
        process.die()


def test_the_ledger_that_was_replaced_is_kept(served: Path, copy: Path) -> None:
    dead_process(served, 10)
    assert counted(served) == 17
    assert counted(restored(served, copy, replace=True)) == 7
    kept = ledger_of(served).with_name("ledger.sqlite.replaced")
    assert counted(restored(served, kept, replace=True)) == 17


def test_a_damaged_ledger_is_replaced_together_with_its_journal(served: Path, copy: Path) -> None:
    ledger_of(served).write_text("hello" * 1000)
    ledger_of(served).with_name("ledger.sqlite-journal").write_text("journal" * 1000)
    assert counted(restored(served, copy, replace=True)) == 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no copy of a ledger"),
        (b"hello" * 1000, "no copy of a ledger"),
        (b"SQLite format 3\0" + b"x" * 5000, "not a ledger, or a damaged one"),
    ],
)
def test_what_is_no_copy_changes_nothing(content: bytes, message: str, served: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_bytes(content)
    before = ledger_of(served).read_bytes()
    with pytest.raises((BackupError, BadLedgerError), match=message):
        restored(served, tmp_path / "wrong", replace=True)
    assert ledger_of(served).read_bytes() == before
    assert not [*ledger_of(served).parent.glob("*.restoring*"), *ledger_of(served).parent.glob("*.replaced")]


def test_a_copy_that_is_cut_off_anywhere_is_refused(served: Path, copy: Path, tmp_path: Path) -> None:
    content = copy.read_bytes()
    for size in range(1, len(content), 1000):
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises((BackupError, BadLedgerError)):
            restored(served, tmp_path / "cut", replace=True)
    assert counted(served) == 7


def test_a_folder_of_another_user_is_refused(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(UntrustedError):
        restored(tmp_path / "open", copy)


# --- versions ---


def test_the_ledger_of_a_newer_version_that_only_adds_to_it_is_read_and_written(served: Path) -> None:
    with sqlite3.connect(ledger_of(served)) as ledger:
        ledger.execute("ALTER TABLE series ADD COLUMN added TEXT DEFAULT ''")
        ledger.execute("ALTER TABLE folded ADD COLUMN added TEXT DEFAULT ''")
        ledger.execute("CREATE TABLE more (text TEXT)")
        ledger.execute("INSERT INTO more VALUES ('kept')")
    ledger.close()
    dead_process(served, 10)
    assert counted(served) == 17
    with sqlite3.connect(ledger_of(served)) as ledger:
        assert ledger.execute("SELECT text FROM more").fetchall() == [("kept",)]
    ledger.close()


def in_newer_format(path: Path) -> None:
    with sqlite3.connect(path) as ledger:
        ledger.execute("PRAGMA user_version = 2")
    ledger.close()


def test_a_ledger_in_a_newer_format_is_refused_in_one_line_that_says_how_to_go_back(served: Path) -> None:
    in_newer_format(ledger_of(served))
    before = ledger_of(served).read_bytes()
    (line,) = stderr_of_refusal(served).splitlines()
    assert "in format 2; this one reads 1. Start the newer version again; or `python -m agent_metrics restore" in line
    assert ledger_of(served).read_bytes() == before


def test_going_back_from_a_newer_format_has_the_totals_of_the_copy(served: Path, copy: Path) -> None:
    dead_process(served, 10)
    in_newer_format(ledger_of(served))
    result = run("restore", "--replace", copy, "--dir", served)
    assert result.returncode == 0, result.stderr
    assert counted(served) == 17


def test_a_copy_in_a_newer_format_is_refused(served: Path, copy: Path) -> None:
    in_newer_format(copy)
    with pytest.raises(NewerLedgerError, match="the copy was written by a newer agent-metrics"):
        restored(served, copy, replace=True)
    assert counted(served) == 7


# --- the commands ---


def test_copies_go_through_pipes_as_from_and_to_a_container(served: Path, tmp_path: Path) -> None:
    with running(served):
        copied = run("backup", "-", "--dir", served)
    assert copied.returncode == 0, copied.stderr
    result = run("--dir", tmp_path / "other", "restore", "-", stdin=copied.stdout)
    assert result.returncode == 0, result.stderr
    assert counted(tmp_path / "other") == 7


@pytest.mark.parametrize("arguments", [("backup", "missing/copy"), ("restore", "missing"), ("restore", "-")])
def test_what_cannot_be_done_is_said_in_one_line(arguments: tuple[str, str], served: Path) -> None:
    result = run(*arguments, "--dir", served)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert b"Traceback" not in result.stderr


# --- kill -9 ---


@pytest.fixture
def before(folder: Path) -> Path:
    """Return a folder in which ended processes have counted 17, and a copy of when it was 7."""
    template = folder / "before"
    root = template / "root"
    root.mkdir(0o700, parents=True)
    dead_process(root, 7)
    counted(root)
    back_up(root, template / "copy.sqlite")
    dead_process(root, 10)
    counted(root)
    return template


def _back_up_and_restore(folder: Path) -> None:
    back_up(folder / "root", folder / "new.sqlite")
    restored(folder / "root", folder / "copy.sqlite", replace=True)


def _assert_whole(folder: Path) -> None:
    """Whatever was killed, each file is missing or complete, and the same commands work again."""
    assert counted(folder / "root") in (7, 17)
    if (folder / "new.sqlite").exists():
        assert counted(restored(folder / "other", folder / "new.sqlite")) == 17
        (folder / "new.sqlite").unlink()
    _back_up_and_restore(folder)
    assert counted(folder / "root") == 7


@pytest.mark.parametrize("kills", [10, pytest.param(300, marks=SLOW)])
def test_copies_are_killed_at_random_lines(kills: int, folder: Path, before: Path) -> None:
    measured = shutil.copytree(before, folder / "measured")
    lines = crash_injection.count_lines(lambda: _back_up_and_restore(measured))
    chance = random.Random(SEED)
    for number in range(kills):
        killed = shutil.copytree(before, folder / str(number))
        assert not crash_injection.kill_at_line(partial(_back_up_and_restore, killed), chance.randint(1, lines))
        _assert_whole(killed)
        shutil.rmtree(killed)


@NEEDS_STRACE
@pytest.mark.parametrize("step", [20, pytest.param(1, marks=SLOW)])
def test_copies_are_killed_at_each_syscall(step: int, folder: Path, before: Path) -> None:
    measured = shutil.copytree(before, folder / "measured")
    calls = crash_injection.list_syscalls(lambda: _back_up_and_restore(measured))
    assert {"fsync", "rename", "pwrite64"} <= {name for name, _ in calls}
    for index, (name, number) in enumerate(calls[::step]):
        killed = shutil.copytree(before, folder / str(index))
        crash_injection.kill_at_syscall(partial(_back_up_and_restore, killed), name, number)
        _assert_whole(killed)
        shutil.rmtree(killed)
