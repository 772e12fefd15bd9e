from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from livekit.agents import AgentServer, APIConnectionError

from agent_worker.core.settings import Settings
from agent_worker.lifecycle.warm_up import complete_phrase_audio, fixed_texts, load_audio, synthesize_first_texts
from agent_worker.preresponse.factory import build_agent
from agent_worker.providers.stack import VoiceStack
from agent_worker.telemetry.pricing import Prices
from agent_worker.testing import ScriptedTTS
from agent_worker.text.messages import apology, backchannel, farewell, silence_farewell, silence_questions
from agent_worker.text.move import SPOKEN_MOVES
from agent_worker.turn_taking import smart_turn
from agent_worker.turn_taking.endpointing import load_models
from tests.agent_worker.test_session_meter import a_stack


def settings(folder: Path, strategy: str) -> Settings:
    return Settings(
        livekit_url="ws://localhost:7880",
        livekit_api_key="devkey",
        livekit_api_secret="secret",
        preresponse_strategy=strategy,
        preresponse_audio_dir=folder,
    )


@pytest.mark.parametrize(("strategy", "phrases"), [("phrase", True), ("off", False)])
async def test_greeting_apology_and_farewell_are_synthesized_with_every_strategy(
    strategy: str, phrases: bool, tmp_path: Path
) -> None:
    stack = a_stack()
    await synthesize_first_texts(stack, settings(tmp_path, strategy), Prices.load(None))
    assert isinstance(stack.tts, ScriptedTTS)
    fixed = {apology("en"), settings(tmp_path, strategy).greeting, farewell("en"), backchannel("en")}
    assert fixed <= set(stack.tts.texts)
    assert (set(stack.tts.texts) > fixed) is phrases


async def test_worker_takes_calls_with_ten_phrases_of_which_each_move_has_one(tmp_path: Path) -> None:
    stack, given = a_stack(), settings(tmp_path, "phrase")
    assert isinstance(stack.tts, ScriptedTTS)
    left = await synthesize_first_texts(stack, given, Prices.load(None))
    agent = build_agent(stack, given)
    fixed = {apology("en"), given.greeting, farewell("en"), backchannel("en")}
    assert len(set(stack.tts.texts) - fixed) == 10
    assert left == len(fixed_texts(agent, given)) - len(stack.tts.texts)
    assert all(set(stack.tts.texts) & set(agent.phrases.of(move)) for move in SPOKEN_MOVES)


@pytest.mark.parametrize(("delay", "made"), [(12.0, True), (0.0, False)])
def test_what_a_silent_caller_hears_is_made_beforehand(delay: float, made: bool, tmp_path: Path) -> None:
    given = settings(tmp_path, "phrase").model_copy(update={"silence_prompt_delay": delay})
    texts = set(fixed_texts(build_agent(a_stack(), given), given))
    assert ({*silence_questions("en"), silence_farewell("en")} <= texts) is made


class Worker(AgentServer):
    """A worker whose calls the test chooses."""

    calls: ClassVar[list[Any]] = []

    @property
    def active_jobs(self) -> list[Any]:
        return self.calls


def start_completion(stack: VoiceStack, given: Settings, sleep: Callable[[float], Awaitable[None]]) -> asyncio.Task:
    server = Worker()
    complete_phrase_audio(server, lambda _: stack, given, Prices.load(None), sleep=sleep)
    server.emit("worker_started")
    (completion,) = (task for task in asyncio.all_tasks() if task.get_name() == "complete_phrase_audio")
    return completion


async def test_synthesis_that_failed_is_retried_after_the_start_with_the_apology_first(tmp_path: Path) -> None:
    stack, given = a_stack(), settings(tmp_path, "phrase")
    assert isinstance(stack.tts, ScriptedTTS)
    stack.tts.error = APIConnectionError("not there yet")
    assert await synthesize_first_texts(stack, given, Prices.load(None)) > 0
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        stack.tts.error = None
        stack.tts.texts.clear()

    await start_completion(stack, given, sleep)
    assert sleeps == [60.0]
    assert stack.tts.texts[0] == apology("en")
    agent = build_agent(stack, given)
    load_audio(agent, given)
    assert all(agent.phrase_audio.frames(text) for text in fixed_texts(agent, given))  # type: ignore[union-attr]


async def test_nothing_is_synthesized_during_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, given = a_stack(), settings(tmp_path, "phrase")
    assert isinstance(stack.tts, ScriptedTTS)
    await synthesize_first_texts(stack, given, Prices.load(None))
    stack.tts.texts.clear()
    monkeypatch.setattr(Worker, "calls", ["a call"])
    during: list[int] = []

    async def sleep(seconds: float) -> None:
        during.append(len(stack.tts.texts))
        if len(during) == 3:
            Worker.calls = []

    await start_completion(stack, given, sleep)
    assert during == [0, 0, 0]
    assert stack.tts.texts


def test_preload_loads_the_intent_model_and_starts_no_thread() -> None:
    check = """
import psutil, agent_worker.app.preload
from agent_worker.text.intent_model import IntentModel
assert IntentModel.load.cache_info().currsize == 1
print(psutil.Process().num_threads())  # also those of native libraries
"""
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1"]  # a fork takes no thread with it


@pytest.mark.parametrize(("detector", "loads"), [("fused", True), ("smart-turn", True), ("stt", False)])
def test_end_of_turn_models_are_loaded_before_the_call(
    detector: str, loads: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []

    def load(path: Path) -> Smart:
        loaded.append(path)
        return Smart()

    monkeypatch.setattr(smart_turn, "load", load)
    given = settings(tmp_path, "phrase").model_copy(update={"turn_detector": detector})
    load_models(given)
    assert bool(loaded) is loads


class Smart:
    """Stands for the model."""

    probability = 0.5
