"""What is spoken once, before the first call."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from livekit.agents import AgentServer, APIConnectionError

from agent_worker import warm_up
from agent_worker.conversation import build_agent
from agent_worker.preresponse import APOLOGIES
from agent_worker.prices import Prices
from agent_worker.settings import Settings
from agent_worker.warm_up import go_on_voicing, read_audio, texts_known_beforehand, voice_phrases
from tests.agent_worker.test_measurement import a_stack
from tests.scripted_voice import ScriptedTTS


def settings(folder: Path, strategy: str) -> Settings:
    return Settings(
        livekit_url="ws://localhost:7880",
        livekit_api_key="devkey",
        livekit_api_secret="secret",
        preresponse_strategy=strategy,
        preresponse_audio_dir=folder,
    )


@pytest.mark.parametrize(("strategy", "and_no_phrase"), [("phrase", False), ("off", True)])
async def test_greeting_and_apology_are_made_beforehand_whatever_the_strategy(
    strategy: str, and_no_phrase: bool, tmp_path: Path
) -> None:
    stack = a_stack()
    await voice_phrases(stack, settings(tmp_path, strategy), Prices.load(None))
    assert isinstance(stack.tts, ScriptedTTS)
    both = {APOLOGIES["en"], settings(tmp_path, strategy).greeting}
    assert both <= set(stack.tts.texts)
    assert (both == set(stack.tts.texts)) is and_no_phrase


async def test_voice_that_fails_at_first_speaks_the_apology_before_anything_else_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, given = a_stack(), settings(tmp_path, "phrase")
    assert isinstance(stack.tts, ScriptedTTS)
    stack.tts.error = APIConnectionError("not there yet")
    assert await voice_phrases(stack, given, Prices.load(None)) > 0
    stack.tts.error = None
    stack.tts.texts.clear()
    monkeypatch.setattr(warm_up, "_TRY_AGAIN_AFTER", 0.0)
    server = AgentServer()
    go_on_voicing(server, lambda _: stack, given, Prices.load(None))
    server.emit("worker_started")
    (trying,) = (task for task in asyncio.all_tasks() if task.get_name() == "go_on_voicing")
    await trying
    assert stack.tts.texts[0] == APOLOGIES["en"]
    agent = build_agent(stack, given)
    read_audio(agent, given)
    assert all(agent.phrase_audio.frames(text) for text in texts_known_beforehand(agent, given))  # type: ignore[union-attr]


def test_process_that_calls_are_forked_from_has_read_everything_and_started_nothing() -> None:
    check = """
import threading, agent_worker.preload
from agent_worker.kind_model import KindModel
assert KindModel.load.cache_info().currsize == 1
print(threading.active_count())
"""
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1"]  # a fork takes no thread with it
