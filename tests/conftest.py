"""What holds for every test."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

_E2E_TIMEOUT_S = 1200
"""A guard against hangs: many times what the longest of them takes on a slow machine."""

# What hypothesis may take: few examples here, ``HYPOTHESIS_PROFILE=long`` for a night. For every folder: by hypothesis'
# defaults an example fails that takes 0.2 s, as any may on a machine that does something else for a moment.
_SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
settings.register_profile("short", max_examples=60, **_SHARED)
settings.register_profile("long", max_examples=5_000, **_SHARED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


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
