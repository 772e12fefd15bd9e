"""A worker that is told to stop during a call, as at every deployment."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agent_worker.room.topics import TURN_TOPIC
from caller import CallOptions, NoAgentError, Turn, Wav, call
from testbed.processes import Child, free_port, poll
from testbed.services import API_KEY, API_SECRET, CALLER_TIMEOUT_S, Ports, agent_metrics, running
from testbed.speech import Speaker
from tests.e2e.chat import ChatParticipant, simulated_worker
from tests.e2e.metrics import scrape

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

SENTENCES = ("How old are trains?", "How fast are they?")


def call_options(ports: Ports, room: str, wavs: list[Path], agent_timeout: float) -> CallOptions:
    return CallOptions(
        url=ports.livekit_url,
        room=room,
        api_key=API_KEY,
        api_secret=API_SECRET,
        utterances=[Wav(wav) for wav in wavs],
        connect_timeout=CALLER_TIMEOUT_S,
        agent_timeout=agent_timeout,
        reply_timeout=CALLER_TIMEOUT_S,
        greeting_wait=0,
        topics=[TURN_TOPIC],
    )


async def metrics_afterwards(folder: Path) -> dict[str, float]:
    """Return what a new agent-metrics serves of the worker's metrics files, as after a container was replaced."""
    ports = Ports(metrics=free_port())
    async with running([agent_metrics(ports.metrics, folder / "metrics")], folder):
        return await scrape(ports)


class SecondCaller:
    """Stops the worker after the first turn of a call, and then calls as well."""

    def __init__(self, worker: Child, ports: Ports, wav: Path) -> None:
        self._worker = worker
        self._ports = ports
        self._wav = wav
        self.task: asyncio.Task[tuple[dict[str, float], Exception | None]] | None = None

    def on_turn(self, _: Turn) -> None:
        if self.task is None:
            self._worker.terminate()
            self.task = asyncio.create_task(self._call())

    async def result(self) -> tuple[dict[str, float], Exception | None]:
        """Return the metrics while the first call went on, and how the second call failed."""
        assert self.task is not None
        return await self.task

    async def _call(self) -> tuple[dict[str, float], Exception | None]:
        async def is_draining() -> bool:
            return "draining worker" in self._worker.output()

        await poll(is_draining)
        metrics = await scrape(self._ports)
        try:
            await call(call_options(self._ports, "drain-second", [self._wav], agent_timeout=5))
        except NoAgentError as error:
            return metrics, error
        return metrics, None


async def test_draining_worker_finishes_its_call_takes_no_new_one_and_keeps_the_metrics(
    livekit: Ports, speaker: Speaker, tmp_path: Path
) -> None:
    wavs = [await speaker.wav(sentence) for sentence in SENTENCES]
    async with simulated_worker(tmp_path, livekit, {}) as (ports, worker):
        second = SecondCaller(worker, ports, wavs[0])
        report = await call(call_options(ports, "drain", wavs, agent_timeout=CALLER_TIMEOUT_S), second.on_turn)
        metrics, error = await second.result()
        assert isinstance(error, NoAgentError)
        assert metrics["livekit_active_conversations"] == 1
        assert await worker.wait() == 0

    assert [turn.first_heard is not None for turn in report.turns] == [True, True]
    turns = [text for text in report.texts if json.loads(text.text)["caller"]]
    values = await metrics_afterwards(tmp_path)
    # On a slow machine the caller may speak again before the answer, which makes one turn of two utterances.
    assert values["livekit_conversation_turns_total"] == len(turns) >= 1
    assert "livekit_active_conversations" not in values  # no process of a call is alive


async def test_call_that_does_not_end_is_ended_after_the_drain_timeout(livekit: Ports, tmp_path: Path) -> None:
    async with (
        simulated_worker(tmp_path, livekit, {"WORKER_DRAIN_TIMEOUT": "1"}) as (ports, worker),
        ChatParticipant().joined(ports.livekit_url, "drain-timeout", "caller") as caller,
    ):
        await caller.agent()
        _, turn = await caller.turn("How old are trains?")
        assert turn["answer"] == "Trains are old."
        worker.terminate()
        assert await worker.wait() == 0  # the caller is still in the room
    assert (await metrics_afterwards(tmp_path))["livekit_conversation_turns_total"] == 1
