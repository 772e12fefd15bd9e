"""A real LiveKit server for the tests of a folder whose conftest imports the fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from testbed.services import Ports, livekit_server, running
from tests.tools import require_binary


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def livekit(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ports]:
    """A LiveKit server, and free ports for what each test adds."""
    require_binary("livekit-server")
    ports = Ports.free()
    async with running([livekit_server(ports.livekit)], tmp_path_factory.mktemp("livekit")):
        yield ports
