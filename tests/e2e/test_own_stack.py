"""A stack of one's own, as docs/providers.md tells to make it, holds a conversation."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.conversation import converse
from testbed.processes import free_port
from testbed.services import Ports, agent_metrics, running, worker, worker_env
from tests.e2e.conftest import scrape

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]


async def test_stack_of_ones_own_talks_and_is_measured_under_its_providers_names(
    real_models: Ports, tmp_path: Path
) -> None:
    ports = Ports(real_models.livekit, real_models.models, free_port())
    folder = tmp_path / "metrics"
    folder.mkdir()
    env = {
        **worker_env(ports, folder),
        "CEREBRAS_API_KEY": "local",
        "CEREBRAS_BASE_URL": ports.models_url,
        "CEREBRAS_FAST_MODEL": "llama-3.1-8b-instant",  # names that the local model answers to
        "CEREBRAS_MAIN_MODEL": "llama-3.3-70b-versatile",
        "ANSWER_MAX_TOKENS": "20",
    }
    services = [agent_metrics(ports.metrics, folder), worker("examples/my_stack.py", env)]
    async with running(services, tmp_path):
        turns, _ = await converse(
            ports, f"room-{free_port()}", ("What is the best way to learn how to cook?",), lambda _: None
        )
        values = await scrape(ports)
    assert [turn.ok for turn in turns] == [True]
    assert turns[0].answer
    counted = {name for name, value in values.items() if value}
    assert any(name.startswith("livekit_model_tokens_total") and "[cerebras]" in name for name in counted), counted
    assert any(name.startswith("livekit_cost_usd_total") and "[kokoro]" in name for name in counted), counted
