"""smart-turn in the worker's process for it: what a call hears of it, and what it does without it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent_worker.core.compat.livekit import InferenceRunner
from agent_worker.core.settings import Settings
from agent_worker.turn_taking import endpointing, shared_smart_turn, smart_turn
from agent_worker.turn_taking.audio_models import Question
from agent_worker.turn_taking.shared_smart_turn import SharedSmartTurn, SmartTurnRunner

LIVEKIT: Any = {"livekit_url": "ws://localhost", "livekit_api_key": "key", "livekit_api_secret": "secret"}
SAMPLES = np.arange(-8, 8, dtype=np.int16)


class Model:
    """Its probability shows what it heard."""

    def __init__(self, answer: float = 0.75) -> None:
        self.answer = answer
        self.heard: list[list[int]] = []

    def probability(self, samples: Any) -> float:
        self.heard.append(samples.tolist())
        return self.answer


class Process:
    """Stands for livekit-agents' inference process, from the call's side."""

    def __init__(self) -> None:
        self.requests = 0
        self.is_lost = self.is_silent = False

    async def do_inference(self, method: str, data: bytes) -> bytes | None:
        self.requests += 1
        if self.is_silent:
            await asyncio.Event().wait()
        if self.is_lost:
            raise RuntimeError("inference failed")
        assert method == SmartTurnRunner.INFERENCE_METHOD
        runner = SmartTurnRunner()
        runner.initialize()
        return runner.run(data)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Model:
    """The model that the process has loaded."""
    model = Model()
    monkeypatch.setenv("AGENT_WORKER_SHARED_SMART_TURN", "")
    monkeypatch.setattr(InferenceRunner, "registered_runners", {})
    monkeypatch.setattr(smart_turn, "load", {Path("weights.onnx"): model}.__getitem__)
    shared_smart_turn.share(Path("weights.onnx"))
    return model


async def test_the_process_hears_the_samples_and_its_answer_is_the_models(shared: Model) -> None:
    assert {"agent_worker_smart_turn": SmartTurnRunner} == InferenceRunner.registered_runners
    assert await SharedSmartTurn(Process(), pytest.fail).ask(SAMPLES) == 0.75
    assert shared.heard == [SAMPLES.tolist()]


async def test_call_whose_process_is_lost_loads_the_model_itself_and_asks_no_more(shared: Model) -> None:
    process, own = Process(), Model(0.25)
    model = SharedSmartTurn(process, lambda: own)  # type: ignore[arg-type, return-value]
    assert await model.ask(SAMPLES) == 0.75
    process.is_lost = True
    assert [await model.ask(SAMPLES), await model.ask(SAMPLES)] == [0.25, 0.25]
    assert process.requests == 2


async def test_process_that_does_not_answer_leaves_the_decision_to_the_rest(
    shared: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_smart_turn, "_ANSWER_TIMEOUT_S", 0.0)
    process = Process()
    process.is_silent = True
    question = Question(SAMPLES, 0.0, mini=lambda _: 0.5, smart=SharedSmartTurn(process, pytest.fail))
    await asyncio.wait([question._mini, question._smart])
    assert (question.answers.mini, question.answers.smart) == (0.5, None)


def test_call_process_loads_no_model_that_is_shared(shared: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smart_turn, "load", pytest.fail)
    endpointing.load_models(Settings(**LIVEKIT))


@pytest.mark.parametrize("detector", ["livekit-mini", "stt", "fused"])
def test_nothing_is_shared_where_smart_turn_is_not_asked_or_missing(
    detector: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InferenceRunner, "registered_runners", {})
    endpointing.share_models(Settings(**LIVEKIT, turn_detector=detector, smart_turn_path=tmp_path / "none.onnx"))
    assert not shared_smart_turn.is_shared()
    assert InferenceRunner.registered_runners == {}
