"""A conversation with the self-hosted stack and a real Ollama."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from model_server import weights
from testbed.conversation import converse
from testbed.processes import free_port
from testbed.services import LONG_TIMEOUTS, Ports, Service, running, worker, worker_env
from tests.tools import require_binary

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ollama(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of an Ollama with SmolLM2 under the names of both default models."""
    folder = tmp_path_factory.mktemp("ollama")
    binary = require_binary("ollama")
    address = f"127.0.0.1:{free_port()}"
    env = {"OLLAMA_HOST": address, "OLLAMA_MODELS": str(folder / "models"), "HOME": str(folder)}
    server = Service("ollama", [binary, "serve"], 120, ready_url=f"http://{address}", env=env)
    async with running([server], folder):
        (folder / "Modelfile").write_text(f"FROM {weights.smollm()}\n")
        for name in ("llama3.1:8b", "llama3.3:70b"):
            create = await asyncio.create_subprocess_exec(
                *(binary, "create", name, "-f", str(folder / "Modelfile")), env={**os.environ, **env}
            )
            assert await create.wait() == 0
        yield f"http://{address}/v1"


async def test_ollama_answers_a_spoken_question(ollama: str, real_models: Ports, tmp_path: Path) -> None:
    env = {
        **worker_env(real_models, tmp_path),
        **LONG_TIMEOUTS,
        "OLLAMA_BASE_URL": ollama,
        "PRERESPONSE_STRATEGY": "hybrid",
    }
    async with running([worker("fast-preresponse-ollama.py", env)], tmp_path):
        sentences = ("What is the best way to learn how to cook?",)
        turns, report = await converse(real_models, "ollama", sentences, lambda turn: None)
    assert turns[0].ok, json.dumps([text.text for text in report.texts])
    assert turns[0].answer
