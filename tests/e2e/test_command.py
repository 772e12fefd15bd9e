"""A call with a worker that the command `agent-worker` has started, on simulated models."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from caller import CallOptions, Wav, call
from testbed.processes import free_port
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
from tests.e2e.metrics import scrape_after_calls

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


async def test_agent_worker_answers_a_caller_and_serves_its_metrics(
    livekit: Ports, speaker: Speaker, tmp_path: Path
) -> None:
    ports = replace(livekit, models=free_port(), metrics=free_port())
    env = {
        **worker_env(ports, tmp_path / "metrics"),
        **LONG_TIMEOUTS,
        "METRICS_PORT": str(ports.metrics),
        "PRERESPONSE_AUDIO_DIR": str(tmp_path / "phrases"),
    }
    command = [str(Path(sys.executable).parent / "agent-worker"), "--stack", "self-hosted"]
    services = [
        simulated_models(ports.models, {}, tmp_path),
        Service("worker", command, 300, ready_line="registered worker", env=env),
    ]
    async with running(services, tmp_path):
        report = await call(
            CallOptions(
                url=ports.livekit_url,
                api_key=API_KEY,
                api_secret=API_SECRET,
                room="command",
                utterances=[Wav(await speaker.wav("Can you hear me?"))],
                greeting_wait=30,
                connect_timeout=CALLER_TIMEOUT_S,
                agent_timeout=CALLER_TIMEOUT_S,
                reply_timeout=CALLER_TIMEOUT_S,
            )
        )
        (values,) = await scrape_after_calls(ports)
    assert report.turns[0].first_heard is not None
    assert report.turns[0].answer.startswith("This is a")  # the rest of the transcript may come after the turn
    assert values["livekit_conversation_turns_total"] >= 1
