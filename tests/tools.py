"""Programs of others that some tests run."""

from __future__ import annotations

import pytest

from testbed.processes import ServiceError
from testbed.services import find_binary


def require_binary(name: str) -> str:
    """Return the path of a program; skip the test where it is missing."""
    try:
        return find_binary(name)
    except ServiceError as error:
        pytest.skip(str(error))
