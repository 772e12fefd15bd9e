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


@pytest.mark.parametrize(("strategy", "only_the_apology"), [("phrase", False), ("off", True)])
async def test_apology_is_made_beforehand_whatever_the_strategy(
    strategy: str, only_the_apology: bool, tmp_path: Path
) -> None:
    stack = a_stack()
    await voice_phrases(stack, settings(tmp_path, strategy), Prices.load(None))
    assert isinstance(stack.tts, ScriptedTTS)
    assert APOLOGIES["en"] in stack.tts.texts
    assert (stack.tts.texts == [APOLOGIES["en"]]) is only_the_apology
