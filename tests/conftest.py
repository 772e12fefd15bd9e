"""What holds for every test."""

from __future__ import annotations

import pytest

_E2E_TIMEOUT_S = 1200
"""A guard against hangs: many times what the longest of them takes on a slow machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("e2e") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_E2E_TIMEOUT_S))
