"""Defective files: their readable part counts, and they are kept apart."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector
from tests.agent_metrics.fake_processes import (
    FakeProcess,
    compact_all,
    names_left,
    samples,
    status_metric,
    total,
    write,
)


def truncate(path: Path, process: FakeProcess) -> None:
    for number in range(200):  # more than the page in which a file begins
        process.write("counter", "m", 1, number=str(number))
    whole = path.read_bytes()
    path.write_bytes(whole[: int.from_bytes(whole[:4], sys.byteorder) // 3])


def lead_backwards(path: Path, process: FakeProcess) -> None:
    """Give an entry a negative length, which leads back to the one before."""
    process.write("counter", "m", 1)
    process.write("counter", "n", 1)
    content = bytearray(path.read_bytes())
    second = content.index(b'["n"') - 4
    content[second : second + 4] = (-second).to_bytes(4, sys.byteorder, signed=True)
    path.write_bytes(content)


def write_invalid_utf8(path: Path, process: FakeProcess) -> None:
    process.write("counter", "m", 1)
    process.write("counter", "n", 1)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'["n", "n"', b'["\xff", "n"'))


def write_invalid_key(path: Path, process: FakeProcess) -> None:
    process.write("counter", "m", 1)
    process.write("counter", "n", 1)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'["n", "n"', b'["n",  42'))


def claim_2_gib(path: Path, process: FakeProcess) -> None:
    path.touch()
    os.truncate(path, 2**31)


@pytest.mark.parametrize(
    ("damage", "reason", "kept"),
    [
        (truncate, "truncated", 1),
        (lead_backwards, "corrupt", 1),
        (write_invalid_utf8, "corrupt", 1),
        (write_invalid_key, "corrupt", 1),
        (claim_2_gib, "corrupt", 0),
    ],
)
def test_the_readable_part_of_a_defective_file_counts_and_the_file_is_quarantined(
    damage: Callable[[Path, FakeProcess], None],
    reason: str,
    kept: int,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    process = FakeProcess.start(tmp_path)
    damage(process.path("counter"), process)
    process.write("gauge_sum", "whole", 4)
    collector = FolderCollector(tmp_path)
    living = samples(collector.collect())
    assert len([name for name, _ in living if name == "m"]) >= kept
    process.die()
    compact_all(collector)
    assert samples(collector.collect()) == living
    assert status_metric(collector, "files_set_aside_total", {"reason": reason}) == 1
    is_kept = damage is not claim_2_gib  # larger than the quarantine
    assert len(list((tmp_path / "agent-metrics" / "set-aside").iterdir())) == is_kept
    assert len([record for record in caplog.records if "quarantine" in record.message]) == 1
    collector.close()


def test_foreign_files_of_a_dead_process_are_quarantined(tmp_path: Path, collector: FolderCollector) -> None:
    process = FakeProcess.start(tmp_path)
    for name in ("notes.txt", "counter_1.db.bak", "teapot_1.db", "gauge_teapot_1.db"):
        (process.folder.path / name).write_text("hello")
    (process.folder.path / "folder").mkdir()
    (process.folder.path / "link").symlink_to("/nowhere")
    process.write("counter", "m", 3)
    process.die()
    compact_all(collector)
    assert total(collector, "m") == 3
    assert status_metric(collector, "files_set_aside_total", {"reason": "foreign"}) == 4
    assert names_left(tmp_path) == []


def test_defective_unmanaged_files_never_fail_a_scrape(tmp_path: Path, collector: FolderCollector) -> None:
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
    compact_all(collector)
    assert total(collector, "m") == 3
    assert status_metric(collector, "files_flawed", {"reason": "foreign"}) == 4
    assert (tmp_path / "counter_4.db").exists()  # its process may live


def test_files_that_are_just_being_made_are_not_defective(tmp_path: Path, collector: FolderCollector) -> None:
    process = FakeProcess.start(tmp_path)
    process.path("counter").touch()
    process.path("histogram").write_bytes(bytes(4096))
    assert samples(collector.collect()) == {}
    assert (
        sum(status_metric(collector, "files_flawed", {"reason": flaw}) or 0 for flaw in ("truncated", "corrupt")) == 0
    )
    process.die()
    compact_all(collector)
    assert not (tmp_path / "agent-metrics" / "set-aside").exists()


def test_the_quarantine_is_bounded(tmp_path: Path, collector: FolderCollector) -> None:
    for _ in range(120):
        process = FakeProcess.start(tmp_path)
        (process.folder.path / "notes.txt").write_bytes(bytes(100_000))
        process.die()
    compact_all(collector)
    kept = list((tmp_path / "agent-metrics" / "set-aside").iterdir())
    assert 10 < len(kept) <= 100
    assert sum(path.stat().st_size for path in kept) <= 4 * 2**20
    assert status_metric(collector, "files_set_aside_total", {"reason": "foreign"}) == 120
