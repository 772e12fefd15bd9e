"""The image, run by podman. `make image-test` builds it, and sets AGENT_WORKER_IMAGE to its name."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from agent_worker.room.topics import TURN_TOPIC
from caller import CallOptions, Wav, call
from testbed.processes import free_port, poll
from testbed.services import (
    API_KEY,
    API_SECRET,
    CALLER_TIMEOUT_S,
    LONG_TIMEOUTS,
    Ports,
    Service,
    running,
    simulated_models,
    worker_env,
)
from testbed.speech import Speaker
from tests.e2e.metrics import scrape

IMAGE = os.environ.get("AGENT_WORKER_IMAGE", "")


def image_exists() -> bool:
    command = ["podman", "image", "exists", IMAGE]
    return bool(IMAGE and shutil.which("podman")) and subprocess.run(command, check=False).returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not image_exists(), reason="no image: run `make image-test`"),
]
QUESTION = "How old are trains?"
ANSWER = "Trains are old."
SIMULATION = {
    "llm": {"*": {"ttft_ms": 1500, "replies": [ANSWER]}},
    "stt": {"*": {"final_ms": 50, "transcripts": [QUESTION]}},
}
#: runc, and limits that need no privilege: both also work inside a container, where these tests may run.
PODMAN = ["podman", "--runtime", "runc"]
LIMITS = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]


def container(name: str, env: Mapping[str, str], folder: Path, *command: str, ready_line: str) -> Service:
    """Describe a container as in production: it writes to a volume and /tmp only; on the host's network, for media."""
    env_file = folder / f"{name}.env"
    env_file.write_text("".join(f"{key}={value}\n" for key, value in env.items()))
    safe = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
    safe += ["--volume", "/var/lib/agent-worker", "--volume", "/run/agent-worker/metrics"]
    options = ["--rm", "--name", name, "--network", "host", "--env-file", str(env_file), *safe, *LIMITS]
    return Service(name, [*PODMAN, "run", *options, IMAGE, *command], 300, ready_line=ready_line)


async def in_container(name: str, *command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *PODMAN, "exec", name, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode().strip()


@pytest.mark.parametrize("command", [(), ("fast-preresponse-ollama.py",)], ids=["default", "ollama"])
async def test_container_answers_a_caller_serves_metrics_and_ends_on_sigterm(
    livekit: Ports, speaker: Speaker, tmp_path: Path, command: tuple[str, ...]
) -> None:
    ports = replace(livekit, models=free_port(), metrics=free_port())
    host_folders = ("PROMETHEUS_MULTIPROC_DIR", "PRERESPONSE_AUDIO_DIR")
    env = {key: value for key, value in worker_env(ports, tmp_path).items() if key not in host_folders}
    env |= {**LONG_TIMEOUTS, "METRICS_PORT": str(ports.metrics), "WORKER_PORT": str(free_port())}
    name = f"agent-worker-{free_port()}"
    services = [
        simulated_models(ports.models, SIMULATION, tmp_path),
        container(name, env, tmp_path, *command, ready_line="registered worker"),
    ]
    async with running(services, tmp_path) as started:
        report = await call(
            CallOptions(
                url=ports.livekit_url,
                room=f"image-{free_port()}",
                api_key=API_KEY,
                api_secret=API_SECRET,
                utterances=[Wav(await speaker.wav(QUESTION))],
                topics=[TURN_TOPIC],
                greeting_wait=15,
                connect_timeout=CALLER_TIMEOUT_S,
                agent_timeout=CALLER_TIMEOUT_S,
                reply_timeout=CALLER_TIMEOUT_S,
            )
        )
        turns = [record for text in report.texts if (record := json.loads(text.text))["caller"]]
        assert turns[-1]["answer"] == ANSWER
        # A busy machine may cut the question in two, and the answer to its first part short.
        assert all(ANSWER.startswith(turn["answer"].rstrip(".")) for turn in turns)
        assert report.turns[0].first_heard is not None
        assert (await scrape(ports))["livekit_conversation_turns_total"] == len(turns)
        assert await in_container(name, "python", "-m", "agent_worker.app.health") == (0, "")
        assert await in_container(name, "id", "-u") == (0, "10001")
        started[name].terminate()
        assert await started[name].wait() == 0


async def test_image_runs_agent_metrics_and_the_page_server_too(tmp_path: Path) -> None:
    metrics, page = free_port(), free_port()
    settings = {
        "LIVEKIT_URL": "ws://127.0.0.1:7880",
        "LIVEKIT_API_KEY": API_KEY,
        "LIVEKIT_API_SECRET": API_SECRET,
        "PAGE_PORT": str(page),
        "PAGE_PASSWORD": "a password of a test",
    }
    services = [
        container(
            f"agent-metrics-{metrics}", {}, tmp_path, "agent-metrics", "--port", str(metrics), ready_line="serving"
        ),
        container(f"page-{page}", settings, tmp_path, "page", ready_line="serving"),
    ]
    async with running(services, tmp_path) as started, aiohttp.ClientSession() as http:
        health = f"http://127.0.0.1:{metrics}/healthz"

        async def is_healthy() -> bool:
            code, _ = await in_container(services[0].name, "python", "-m", "agent_worker.app.health", health)
            return code == 0

        await poll(is_healthy)
        async with http.get(f"http://127.0.0.1:{page}/") as response:
            assert response.status == 401
        async with http.get(
            f"http://127.0.0.1:{page}/", auth=aiohttp.BasicAuth("caller", settings["PAGE_PASSWORD"])
        ) as response:
            assert "<script" in await response.text()
        for service in services:
            started[service.name].terminate()
            assert await started[service.name].wait() == 0
