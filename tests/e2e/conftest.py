"""Real servers for the end-to-end tests, each on a free port and stopped at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from testbed import services
from testbed.services import Ports, running
from testbed.speech import Speaker
from tests.livekit_server import livekit as livekit


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real_models(livekit: Ports, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ports]:
    """A LiveKit server and the real models; workers and metrics come with each test."""
    async with running([services.real_models(livekit.models)], tmp_path_factory.mktemp("models")):
        yield livekit


@pytest.fixture(scope="session")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Speaker:
    """Speaks what callers of simulated models say: the worker's voice activity detector hears only real speech."""
    return Speaker(tmp_path_factory.mktemp("speech"))
