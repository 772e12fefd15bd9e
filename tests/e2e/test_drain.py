"""A worker that is told to stop while somebody talks to it, as at every deployment."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agent_worker.room.topics import TURN_TOPIC
from caller import CallOptions, NoAgentError, Text, Turn, call
from testbed.processes import Child, free_port
from testbed.services import (
    API_KEY,
    API_SECRET,
    Ports,
    Service,
    agent_metrics,
    model_server,
    running,
    worker,
    worker_env,
)
from tests.e2e.conftest import scrape
from tests.e2e.test_room_link import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]

SCRIPT = "fast-preresponse.py"
SIMULATION = {"llm": {"*": {"ttft_ms": 700, "replies": ["Trains are old."]}}}


def system(folder: Path, livekit: int, **env: str) -> tuple[Ports, list[Service]]:
    simulation = folder / "simulation.json"
    simulation.write_text(json.dumps(SIMULATION))
    ports = Ports(livekit, free_port(), free_port())
    settings = {**worker_env(ports, folder / "metrics"), "PRERESPONSE_AUDIO_DIR": str(folder / "phrases"), **env}
    settings["METRICS_PORT"] = str(ports.metrics)
    return ports, [model_server(ports.models, "--simulated", str(simulation)), worker(SCRIPT, settings)]


def a_call(real_models: Ports, room: str, *sentences: str, agent_timeout: float = 20) -> CallOptions:
    return CallOptions(
        url=real_models.livekit_url,
        room=room,
        api_key=API_KEY,
        api_secret=API_SECRET,
        utterances=[Text(sentence) for sentence in sentences],
        speech_url=real_models.models_url,
        agent_timeout=agent_timeout,
        topics=[TURN_TOPIC],
    )


async def counted_afterwards(folder: Path) -> dict[str, float]:
    """What the next agent-metrics on the worker's folder serves, as after a container has been replaced."""
    ports = Ports(metrics=free_port())
    async with running([agent_metrics(ports.metrics, folder / "metrics")], folder):
        return await scrape(ports)


async def test_running_call_goes_on_and_no_new_one_is_taken_and_the_metrics_are_kept(
    real_models: Ports, tmp_path: Path
) -> None:
    ports, services = system(tmp_path, real_models.livekit)
    async with running(services, tmp_path) as children:
        stopped = children[services[-1].name]
        draining = Draining(stopped, ports, real_models)
        report = await call(a_call(real_models, "drain", "How old are trains?", "How fast are they?"), draining.on_turn)
        assert isinstance(await draining.newcomer, NoAgentError)
        assert (await draining.metrics)["livekit_active_conversations"] == 1
        assert await stopped.wait() == 0

    assert [bool(turn.response_gap) for turn in report.turns] == [True, True]
    turns = [text for text in report.texts if json.loads(text.text)["caller"]]  # not the greeting
    values = await counted_afterwards(tmp_path)
    assert values["livekit_conversation_turns_total"] == len(turns) >= 2
    assert "livekit_active_conversations" not in values  # nobody's process is alive


class Draining:
    """Stops the worker after the first turn, and then sends a second caller."""

    def __init__(self, worker: Child, ports: Ports, real_models: Ports) -> None:
        self._worker = worker
        self._ports = ports
        self._real_models = real_models

    def on_turn(self, turn: Turn) -> None:
        if self._worker.returncode is None and not hasattr(self, "newcomer"):
            self._worker.terminate()
            self.newcomer = asyncio.create_task(self._call_another())
            self.metrics = asyncio.create_task(scrape(self._ports))

    async def _call_another(self) -> Exception | None:
        while "draining worker" not in self._worker.output():
            await asyncio.sleep(0.05)
        try:
            await call(a_call(self._real_models, "drain-newcomer", "Hello?", agent_timeout=5))
        except NoAgentError as error:
            return error
        return None


async def test_call_that_does_not_end_is_ended_after_the_drain_timeout(real_models: Ports, tmp_path: Path) -> None:
    ports, services = system(tmp_path, real_models.livekit, WORKER_DRAIN_TIMEOUT="1", NO_GREETING="1")
    async with (
        running(services, tmp_path) as children,
        Visitor().joined(ports.livekit_url, "drain-bounded", "caller") as caller,
    ):
        await caller.agent()
        _, turn = await caller.next_turn("How old are trains?")
        assert turn["answer"] == "Trains are old."
        stopped = children[services[-1].name]
        stopped.terminate()
        assert await stopped.wait() == 0  # the caller is still there
    assert (await counted_afterwards(tmp_path))["livekit_conversation_turns_total"] == 1
