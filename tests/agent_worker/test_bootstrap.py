from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_metrics import writer
from agent_metrics.compat.prometheus import in_memory_values
from agent_worker.app.bootstrap import prepare


@pytest.fixture(autouse=True)
def metrics_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENT_WORKER_METRICS_FOLDER", "/another/worker")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    with in_memory_values():  # and undo what prepare() installs
        yield tmp_path / "metrics"


def test_worker_gets_a_metrics_folder(metrics_root: Path) -> None:
    prepare()
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    assert folder.parent == metrics_root
    assert folder.is_dir()


def test_call_process_keeps_the_folder_of_its_worker() -> None:
    prepare()
    folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
    prepare()  # a call process inherits the environment and imports the script again
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == folder


def test_worker_without_a_metrics_folder_starts_all_the_same(metrics_root: Path) -> None:
    metrics_root.touch()
    prepare()
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    assert writer.problem() is not None
    prepare()  # in a call process of this worker
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


def test_folder_from_dotenv_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    (tmp_path / ".env").write_text(f"PROMETHEUS_MULTIPROC_DIR={tmp_path / 'other'}\n")
    prepare()
    assert Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).parent == tmp_path / "other"
