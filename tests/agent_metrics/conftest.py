from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[FolderCollector]:
    """Return a collector of the test's folder."""
    collector = FolderCollector(tmp_path)
    yield collector
    collector.close()
