"""A call that a worker takes which the command of the package has started. The models are simulated."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from caller.call import call
from caller.options import CallOptions, Wav
from testbed.processes import free_port
from testbed.services import API_KEY, API_SECRET, ROOT, Service, livekit_server, model_server, running, worker_env
from tests.e2e.conftest import free_ports, scrape

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

VOICE = ROOT / "agent_worker" / "app" / "checkup" / "can-you-hear-me.wav"


async def test_worker_of_the_command_answers_and_its_metrics_are_served(tmp_path: Path) -> None:
    ports = free_ports()
    env = {
        **worker_env(ports, tmp_path / "metrics"),
        "METRICS_PORT": str(ports.metrics),
        "PRERESPONSE_AUDIO_DIR": str(tmp_path / "phrases"),
    }
    command = [str(Path(sys.executable).parent / "agent-worker"), "--stack", "self-hosted"]
    services = [
        livekit_server(ports.livekit),
        model_server(ports.models, "--simulated", "default"),
        Service("worker", command, 300, ready_line="registered worker", env=env),
    ]
    async with running(services, tmp_path):
        report = await call(
            CallOptions(
                url=ports.livekit_url,
                api_key=API_KEY,
                api_secret=API_SECRET,
                room=f"room-{free_port()}",
                utterances=[Wav(VOICE)],  # the agent hears that it is one, and the simulated STT says what it heard
                greeting_wait=30,
            )
        )
        while (await scrape(ports))["livekit_active_conversations"] > 0:  # until the caller is known to have left
            await asyncio.sleep(0.2)
        values = await scrape(ports)
    assert "simulated answer" in report.turns[0].answer
    assert values["livekit_conversation_turns_total"] >= 1
