"""Attacks on the metrics folder by another user of the machine: planted ledgers, links, pipes, open permissions."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector
from agent_metrics.storage.folder import ProcessFolder
from agent_metrics.storage.trusted import UntrustedError
from tests.agent_metrics.fake_processes import (
    FakeProcess,
    compact_all,
    dead_process,
    names_left,
    samples,
    status_metric,
    total,
)
from tests.agent_metrics.service_processes import running, stderr_of_refusal
from tests.files import ROOT

IS_ROOT = os.geteuid() == 0
NOBODY = 65534
NEEDS_ROOT = pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a metrics folder with a ledger, in which a process with the value 1 counts."""
    root = tmp_path / "root"
    dead_process(root, 1)
    collector = FolderCollector(root)
    compact_all(collector)
    collector.close()
    return root


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Return a folder outside, with a secret."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "secret").write_text("secret")
    return victim


def give_away(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


# --- the ledger ---


def plant(root: Path, id: str, folder: str, flawed: str = "") -> None:
    connection = sqlite3.connect(root / "agent-metrics" / "ledger.sqlite")
    with connection:
        connection.execute("INSERT INTO folded VALUES (?, ?, ?)", (id, folder, flawed))
    connection.close()


@pytest.mark.parametrize(
    ("folder", "flawed"),
    [
        ("{victim}", ""),
        ("../victim", ""),
        ("worker-1/../../victim", ""),
        ("p-1/../../victim", ""),
        ("p-0/\0/x", ""),
        ("p-0", "../../victim/secret"),
        ("p-0", "{victim}/secret"),
        ("p-0", "a\n../../victim/secret"),
        ("agent-metrics", ""),
        ("agent-metrics/p-0", ""),
        ("", ""),
        (".", ""),
        ("p-1", ""),  # not the folder of the process p-0
    ],
)
def test_a_ledger_that_names_what_is_outside_is_quarantined_and_touches_nothing(
    folder: str, flawed: str, root: Path, victim: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (root / "p-0").mkdir()
    (root / "p-1").mkdir()
    (root / "worker-1").mkdir()
    plant(root, "p-0", folder.format(victim=victim), flawed.format(victim=victim))
    collector = FolderCollector(root)
    compact_all(collector)
    assert (victim / "secret").read_text() == "secret"
    assert not [path for path in root.rglob("*") if path.is_file() and path.read_bytes() == b"secret"]
    assert (root / "agent-metrics" / "ledger.sqlite.set-aside").is_file()
    assert status_metric(collector, "ledgers_set_aside_total") == 1
    assert len([record for record in caplog.records if "ledger.sqlite.set-aside" in record.message]) == 1
    dead_process(root, 4)
    compact_all(collector)
    assert collector.is_ready
    assert total(collector, "m") == 4
    collector.close()


def test_a_ledger_with_names_that_are_no_text_is_quarantined(root: Path) -> None:
    connection = sqlite3.connect(root / "agent-metrics" / "ledger.sqlite")
    with connection:
        connection.execute("INSERT INTO folded VALUES ('p-0', 'p-0', ?)", (b"\xff",))
    connection.close()
    collector = FolderCollector(root)
    compact_all(collector)
    assert status_metric(collector, "ledgers_set_aside_total") == 1
    collector.close()


def test_names_of_a_process_that_the_ledger_cannot_hold_do_not_quarantine_it(root: Path) -> None:
    process = FakeProcess.start(root / "worker-1")
    for name in ("a\n..", "b\nc"):
        (process.folder.path / name).write_text("hello")
    process.write("counter", "m", 2)
    process.die()
    for _ in range(2):  # the second collector reads what the first wrote
        collector = FolderCollector(root)
        compact_all(collector)
        assert total(collector, "m") == 3
        assert status_metric(collector, "ledgers_set_aside_total") == 0
        collector.close()
    assert names_left(root) == []


def as_link(path: Path) -> None:
    """Move what is there out of the metrics folder, and leave a link to it."""
    outside = next(folder for folder in path.parents if folder.name.startswith("test_")) / "moved"
    path.rename(outside)
    path.symlink_to(outside)


def as_pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def as_foreign(path: Path) -> None:
    path.touch()
    give_away(path)


@pytest.mark.parametrize("name", ["ledger.sqlite", "ledger.sqlite-journal", "ledger.sqlite-wal"])
@pytest.mark.parametrize("plant_it", [as_pipe, pytest.param(as_foreign, marks=NEEDS_ROOT)])
def test_a_ledger_or_journal_of_another_user_or_a_pipe_is_refused_at_the_start(
    plant_it: Callable[[Path], None], name: str, root: Path
) -> None:
    plant_it(root / "agent-metrics" / name)
    assert name in stderr_of_refusal(root)


def test_a_ledger_that_is_a_link_is_refused_at_the_start(root: Path) -> None:
    as_link(root / "agent-metrics" / "ledger.sqlite")
    assert "a link" in stderr_of_refusal(root)


# --- the folders ---


def write_by_group(folder: Path) -> None:
    folder.chmod(0o770)


def write_by_all(folder: Path) -> None:
    folder.chmod(0o1777)


FOLDER_ATTACKS = [as_link, write_by_group, write_by_all, pytest.param(give_away, marks=NEEDS_ROOT)]


@pytest.mark.parametrize("attack", FOLDER_ATTACKS)
@pytest.mark.parametrize("name", [".", "agent-metrics"])
def test_agent_metrics_refuses_folders_of_others(attack: Callable[[Path], None], name: str, root: Path) -> None:
    folder = root / name
    attack(folder)
    message = stderr_of_refusal(root)
    assert str(folder) in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("attack", FOLDER_ATTACKS)
@pytest.mark.parametrize("parent", [".", "worker-1"])
def test_a_process_makes_nothing_in_a_metrics_folder_of_others(
    parent: str, attack: Callable[[Path], None], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    attack(root)
    with pytest.raises(UntrustedError, match=str(root)):
        ProcessFolder(root / parent)
    assert not list(root.iterdir())


def test_a_worker_does_not_start_with_a_metrics_folder_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    folder.chmod(0o777)
    (tmp_path / "web.yml").write_text("basic_auth_users: {prometheus: secret}")
    result = subprocess.run(
        [sys.executable, ROOT / "fast-preresponse.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(folder)}
        | {"METRICS_WEB_CONFIG_FILE": "web.yml", **KEYS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert f"PROMETHEUS_MULTIPROC_DIR: {folder} may be written by other users" in result.stderr
    assert "METRICS_WEB_CONFIG_FILE: web.yml: basic_auth_users.prometheus: not a bcrypt hash" in result.stderr
    assert not list(folder.iterdir())


KEYS = {
    "LIVEKIT_URL": "ws://127.0.0.1:1",
    "LIVEKIT_API_KEY": "devkey",
    "LIVEKIT_API_SECRET": "secret",
    "GROQ_API_KEY": "none",
    "DEEPGRAM_API_KEY": "none",
    "OPENAI_API_KEY": "none",
}


@NEEDS_ROOT
def test_a_folder_above_that_others_may_rename_is_refused(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o777)
    assert "any user may replace it" in stderr_of_refusal(theirs / "metrics")
    theirs.chmod(0o755)
    give_away(theirs)
    assert "who may replace it" in stderr_of_refusal(theirs / "metrics")
    (tmp_path / "link").symlink_to(theirs)
    assert "who may replace it" in stderr_of_refusal(tmp_path / "link" / "metrics")


@pytest.mark.parametrize("bind", [False, True])
def test_a_folder_inside_a_volume_that_the_platform_makes_writable_is_used(bind: bool, tmp_path: Path) -> None:
    """As Kubernetes' `emptyDir` with `fsGroup`: it belongs to root and is writable by all of the pod."""
    source, volume = tmp_path / "source", tmp_path / "volume"
    for folder in (source, volume):
        folder.mkdir()
        folder.chmod(0o2777)
    options = ["--bind", str(source)] if bind else ["-t", "tmpfs", "-o", "mode=2777", "none"]
    if not IS_ROOT or subprocess.run(["mount", *options, str(volume)], capture_output=True, check=False).returncode:
        pytest.skip("mounting a volume needs root")
    try:
        assert "a new folder inside it" in stderr_of_refusal(volume)
        with running(volume / "metrics"):
            pass
        assert (volume / "metrics").stat().st_mode & 0o777 == 0o700
    finally:
        subprocess.run(["umount", str(volume)], check=True)


def test_new_folders_and_files_are_for_their_user_only(tmp_path: Path) -> None:
    root = tmp_path / "new" / "root"
    process = FakeProcess.start(root / "worker-1")
    collector = FolderCollector(root)
    compact_all(collector)
    for path in (tmp_path / "new", root, *(path for path in root.rglob("*") if not path.match("ledger*"))):
        assert path.stat().st_mode & 0o077 == 0, path
    process.die()
    collector.close()


@pytest.mark.parametrize("attack", FOLDER_ATTACKS)
@pytest.mark.parametrize("name", ["worker-1", "worker-1/p-{id}"])
def test_folders_of_others_inside_count_nothing_and_stay(
    attack: Callable[[Path], None], name: str, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process = dead_process(root / "worker-1", 5)
    target = root / name.format(id=process.folder.id.removeprefix("p-"))
    attack(target)
    before = sorted(root.rglob("*"))
    collector = FolderCollector(root)
    compact_all(collector)
    assert total(collector, "m") == 1
    assert collector.is_ready
    assert status_metric(collector, "folders_refused") == 1
    assert len([record for record in caplog.records if str(target) in record.message]) == 1
    assert sorted(root.rglob("*")) == before
    collector.close()


def test_a_compacted_folder_that_became_a_link_is_not_followed(root: Path, victim: Path) -> None:
    plant(root, "p-0", "p-0", "secret")
    plant(root, "p-1", "worker-1/p-1", "secret")
    (root / "p-0").symlink_to(victim)
    (victim / "p-1").mkdir()
    (victim / "p-1" / "secret").write_text("secret")
    (root / "worker-1").symlink_to(victim)
    collector = FolderCollector(root)
    compact_all(collector)
    compact_all(collector)
    assert (victim / "secret").exists()
    assert (victim / "p-1" / "secret").exists()
    collector.close()


def test_a_quarantine_that_is_a_link_receives_nothing(root: Path, victim: Path) -> None:
    (root / "agent-metrics" / "set-aside").symlink_to(victim)
    process = FakeProcess.start(root)
    (process.folder.path / "notes.txt").write_text("hello")
    process.die()
    collector = FolderCollector(root)
    compact_all(collector)
    assert [path.name for path in victim.iterdir()] == ["secret"]
    collector.close()


def test_leftovers_that_are_links_are_removed_and_not_followed(root: Path, victim: Path) -> None:
    for name in (".swept-1", ".p-1"):
        (root / name).symlink_to(victim)
    os.utime(root / ".p-1", (0, 0), follow_symlinks=False)
    collector = FolderCollector(root)
    for _ in range(3):
        collector.compact(10)
    assert (victim / "secret").exists()
    assert names_left(root) == []
    collector.close()


# --- files ---


@pytest.mark.parametrize("plant_it", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_lock_that_is_no_file_blocks_nothing(plant_it: Callable[[Path], None], root: Path) -> None:
    process = dead_process(root, 5)
    lock = process.folder.path / "lock"
    lock.unlink()
    plant_it(lock)
    collector = FolderCollector(root)
    compact_all(collector)
    assert collector.is_ready
    assert total(collector, "m") == 6  # counts as living: whether it lives cannot be known
    assert process.path("counter").exists()
    collector.close()


@pytest.mark.parametrize("plant_it", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_service_lock_that_is_no_file_is_refused(plant_it: Callable[[Path], None], root: Path) -> None:
    plant_it(root / "agent-metrics" / "service.lock")
    assert "service.lock" in stderr_of_refusal(root)


def test_value_files_that_are_links_or_pipes_are_neither_read_nor_waited_for(root: Path, tmp_path: Path) -> None:
    other = dead_process(tmp_path / "other", 100)
    process = FakeProcess.start(root)
    process.write("histogram", "h", 5)
    for folder in (root, process.folder.path):
        (folder / "counter_1.db").symlink_to(other.path("counter"))
        os.mkfifo(folder / "counter_2.db")
        (folder / "counter_3.db").symlink_to("/dev/zero")
    collector = FolderCollector(root)
    assert status_metric(collector, "files_flawed", {"reason": "foreign"}) == 0
    compact_all(collector)
    assert total(collector, "m") == 1
    assert status_metric(collector, "files_flawed", {"reason": "foreign"}) == 6
    process.die()
    compact_all(collector)
    assert {name: value for (name, _), value in samples(collector.collect()).items()} == {"m": 1, "h": 5}
    assert other.path("counter").exists()
    assert not process.folder.path.exists()
    collector.close()
