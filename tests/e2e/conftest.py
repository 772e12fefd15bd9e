"""Real servers for the end-to-end tests, each on a free port, stopped at the end."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from testbed.processes import free_port
from testbed.services import Ports, livekit_server, model_server, running


def free_ports() -> Ports:
    return Ports(livekit=free_port(), models=free_port(), metrics=free_port(), page=free_port())


async def scrape(ports: Ports) -> dict[str, float]:
    """The contract's metrics as agent-metrics serves them, labels in the name as in the text format."""
    async with aiohttp.ClientSession() as http, http.get(ports.metrics_url) as response:
        text = await response.text()
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if re.match("livekit_", sample.name)
    }


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real_models(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ports]:
    """A LiveKit server and the real models; workers and metrics come with each test."""
    ports = free_ports()
    logs = tmp_path_factory.mktemp("real")
    async with running([livekit_server(ports.livekit), model_server(ports.models)], logs):
        yield ports
