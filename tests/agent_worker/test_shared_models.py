"""The models in the worker's process for them: what a call hears of them, and what it does without it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livekit.local_inference import EOT, EOT_MAX_SAMPLES

from agent_worker.core.compat.livekit import InferenceRunner
from agent_worker.core.settings import Settings
from agent_worker.turn_taking import endpointing, shared_models, smart_turn
from agent_worker.turn_taking.audio_models import Answers, Question
from agent_worker.turn_taking.shared_models import MiniRunner, SharedModel, SmartTurnRunner

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
        self.is_lost = self.is_silent = self.is_empty = False

    async def do_inference(self, method: str, data: bytes) -> bytes | None:
        self.requests += 1
        if self.is_silent:
            await asyncio.Event().wait()
        if self.is_lost:
            raise RuntimeError("inference failed")
        if self.is_empty:
            return None
        runner = InferenceRunner.registered_runners[method]()
        runner.initialize()
        return runner.run(data)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Model:
    """The model that the process has loaded."""
    model = Model()
    monkeypatch.setenv("AGENT_WORKER_SHARED_SMART_TURN", "")
    monkeypatch.setattr(InferenceRunner, "registered_runners", {})
    monkeypatch.setattr(smart_turn, "load", {Path("weights.onnx"): model}.__getitem__)
    shared_models.share(Path("weights.onnx"), max_calls=None, cores=2)
    return model


async def test_the_process_hears_the_samples_and_its_answer_is_the_models(shared: Model) -> None:
    assert await SharedModel(Process(), SmartTurnRunner, pytest.fail).ask(SAMPLES) == 0.75
    assert shared.heard == [SAMPLES.tolist()]
    noise = np.random.default_rng(1).integers(-1000, 1000, EOT_MAX_SAMPLES).astype(np.int16)
    assert await SharedModel(Process(), MiniRunner, pytest.fail).ask(noise) == EOT().predict(noise)


@pytest.mark.parametrize("fault", ["is_lost", "is_empty"])
async def test_call_whose_process_is_lost_runs_the_model_itself_and_asks_no_more(fault: str, shared: Model) -> None:
    process = Process()
    model = SharedModel(process, SmartTurnRunner, lambda: Model(0.25).probability)
    assert await model.ask(SAMPLES) == 0.75
    setattr(process, fault, True)
    assert [await model.ask(SAMPLES), await model.ask(SAMPLES)] == [0.25, 0.25]
    assert process.requests == 2


async def test_late_answers_are_not_waited_for_and_the_third_in_a_row_tells_that_the_process_is_lost(
    shared: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_models, "_ANSWER_TIMEOUT_S", 0.01)
    process = Process()
    process.is_silent = True
    model = SharedModel(process, SmartTurnRunner, lambda: Model(0.25).probability)
    for _ in range(2):
        with pytest.raises(asyncio.TimeoutError):
            await model.ask(SAMPLES)
    assert [await model.ask(SAMPLES), await model.ask(SAMPLES)] == [0.25, 0.25]
    assert process.requests == 3


@pytest.mark.parametrize(
    ("max_calls", "cores", "is_shared"), [(None, 2, True), (None, 4, False), (12, 64, True), (1000, 1, True)]
)
def test_models_are_shared_by_workers_of_few_calls(
    max_calls: int | None, cores: float, is_shared: bool, shared: Model
) -> None:
    shared_models.share_nothing()
    shared_models.share(Path("weights.onnx"), max_calls, cores)
    assert shared_models.is_shared() is is_shared


async def test_a_question_is_put_to_shared_models_as_to_those_of_the_process(shared: Model) -> None:
    mini = SharedModel(Process(), MiniRunner, pytest.fail)
    question = Question(SAMPLES, 0.0, mini=mini, smart=SharedModel(Process(), SmartTurnRunner, pytest.fail))
    await asyncio.wait([question._mini, question._smart])
    assert question.answers == Answers(EOT().predict(SAMPLES), 0.75)


def test_call_process_loads_no_model_that_is_shared(shared: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smart_turn, "load", pytest.fail)
    endpointing.load_models(Settings(**LIVEKIT))


@pytest.mark.parametrize("detector", ["livekit-mini", "stt", "fused"])
def test_nothing_is_shared_where_smart_turn_is_not_asked_or_missing(
    detector: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InferenceRunner, "registered_runners", {})
    monkeypatch.setenv("AGENT_WORKER_SHARED_SMART_TURN", "of a worker that started this one")
    monkeypatch.setenv("AGENT_WORKER_CACHE", str(tmp_path))
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    settings = Settings(**LIVEKIT, turn_detector=detector)
    endpointing.share_models(settings, endpointing.check_turn_detector(settings))
    assert not shared_models.is_shared()
    assert InferenceRunner.registered_runners == {}
