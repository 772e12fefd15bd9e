"""A conversation with a user-defined stack, as docs/providers.md describes it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.conversation import converse
from testbed.processes import free_port
from testbed.services import LONG_TIMEOUTS, Ports, agent_metrics, running, worker, worker_env
from tests.e2e.metrics import scrape

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]


async def test_user_defined_stack_answers_and_is_counted_under_the_names_of_its_providers(
    real_models: Ports, tmp_path: Path
) -> None:
    ports = replace(real_models, metrics=free_port())
    folder = tmp_path / "metrics"
    folder.mkdir()
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"tts": {"kokoro/*": {"per_million_characters": 15}}}))
    env = {
        **worker_env(ports, folder),
        "PRICES": str(prices),
        **LONG_TIMEOUTS,
        "CEREBRAS_API_KEY": "local",
        "CEREBRAS_BASE_URL": ports.models_url,
        "CEREBRAS_FAST_MODEL": "llama-3.1-8b-instant",  # names that the local model has
        "CEREBRAS_MAIN_MODEL": "llama-3.3-70b-versatile",
        "ANSWER_MAX_TOKENS": "20",
    }
    services = [agent_metrics(ports.metrics, folder), worker("examples/my_stack.py", env)]
    async with running(services, tmp_path):
        turns, _ = await converse(ports, "own-stack", ("What is the best way to learn how to cook?",), lambda _: None)
        values = await scrape(ports)
    assert [turn.ok for turn in turns] == [True]
    assert turns[0].answer
    counted = {name for name, value in values.items() if value}
    assert any(name.startswith("livekit_model_tokens_total") and "[cerebras]" in name for name in counted), counted
    assert any(name.startswith("livekit_cost_usd_total") and "[kokoro]" in name for name in counted), counted
