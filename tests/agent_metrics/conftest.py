from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector
from tests.agent_metrics.fake_processes import memory_folder


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[FolderCollector]:
    """Return a collector of the test's folder."""
    collector = FolderCollector(tmp_path)
    yield collector
    collector.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder in memory, where many files are made fast."""
    with memory_folder() as path:
        yield path
