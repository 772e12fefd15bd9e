"""What is spoken once, before the first call."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_worker.preresponse import APOLOGIES
from agent_worker.prices import Prices
from agent_worker.settings import Settings
from agent_worker.warm_up import voice_phrases
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
