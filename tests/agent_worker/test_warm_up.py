from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from livekit.agents import AgentServer, APIConnectionError

from agent_worker.core.settings import Settings
from agent_worker.lifecycle.warm_up import fixed_texts, load_audio, retry_phrase_synthesis, synthesize_phrases
from agent_worker.preresponse.factory import build_agent
from agent_worker.telemetry.pricing import Prices
from agent_worker.testing import ScriptedTTS
from agent_worker.text.messages import apology, farewell
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
    await synthesize_phrases(stack, settings(tmp_path, strategy), Prices.load(None))
    assert isinstance(stack.tts, ScriptedTTS)
    fixed = {apology("en"), settings(tmp_path, strategy).greeting, farewell("en")}
    assert fixed <= set(stack.tts.texts)
    assert (set(stack.tts.texts) > fixed) is phrases


async def test_synthesis_is_retried_after_the_start_with_the_apology_first(tmp_path: Path) -> None:
    stack, given = a_stack(), settings(tmp_path, "phrase")
    assert isinstance(stack.tts, ScriptedTTS)
    stack.tts.error = APIConnectionError("not there yet")
    assert await synthesize_phrases(stack, given, Prices.load(None)) > 0
    stack.tts.error = None
    stack.tts.texts.clear()
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)

    server = AgentServer()
    retry_phrase_synthesis(server, lambda _: stack, given, Prices.load(None), sleep=sleep)
    server.emit("worker_started")
    (retry,) = (task for task in asyncio.all_tasks() if task.get_name() == "retry_phrase_synthesis")
    await retry
    assert sleeps == [60.0]
    assert stack.tts.texts[0] == apology("en")
    agent = build_agent(stack, given)
    load_audio(agent, given)
    assert all(agent.phrase_audio.frames(text) for text in fixed_texts(agent, given))  # type: ignore[union-attr]


def test_preload_loads_the_intent_model_and_starts_no_thread() -> None:
    check = """
import threading, agent_worker.app.preload
from agent_worker.text.intent_model import IntentModel
assert IntentModel.load.cache_info().currsize == 1
print(threading.active_count())
"""
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1"]  # a fork takes no thread with it
