"""What holds for every test."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

_E2E_TIMEOUT_S = 1200
"""A guard against hangs: many times what the longest of them takes on a slow machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("e2e") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_E2E_TIMEOUT_S))


@pytest.fixture(autouse=True)
def restored_log() -> Iterator[None]:
    """Undo what a worker, a call or a command in the test's own process does to all records of its log."""
    livekit = logging.getLogger("livekit")
    level, propagate = livekit.level, livekit.propagate
    yield
    livekit.setLevel(level)
    livekit.propagate = propagate
    if (logging_compat := sys.modules.get("agent_worker.core.compat.stdlib_logging")) is not None:
        logging_compat.unfilter_records()
