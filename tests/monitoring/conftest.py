from __future__ import annotations

import pytest

from testbed.processes import ServiceError
from testbed.services import find_binary


def _binary(name: str) -> str:
    try:
        return find_binary(name)
    except ServiceError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def promtool() -> str:
    return _binary("promtool")


@pytest.fixture(scope="session")
def prometheus_binary() -> str:
    return _binary("prometheus")
