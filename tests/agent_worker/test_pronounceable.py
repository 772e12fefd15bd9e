"""What has nothing to speak; and a voice that makes no audio of it has not failed."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, AgentSession, APIConnectOptions, tts

from agent_worker.testing import ManualAudioOutput, ScriptedLLM, ScriptedTTS
from agent_worker.text.messages import apology
from agent_worker.text.pronounceable import is_pronounceable
from tests.agent_worker.museum import museum_agent


@pytest.mark.parametrize("text", ["a", "7", "½", "Ä", "九", "- 5", "🙂 ok"])
def test_letters_and_digits_can_be_spoken(text: str) -> None:
    assert is_pronounceable(text)


@pytest.mark.parametrize(
    "text", ["", " \n", "!", "...", "---", "🙂", "👍🏽", "\u200b\u200b", "* * *", "|---|---|", "¿?"]
)
def test_signs_cannot_be_spoken(text: str) -> None:
    assert not is_pronounceable(text)


class LettersOnly(ScriptedTTS):
    """Makes no audio of a text without a letter, as many voices."""

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        if is_pronounceable(text):
            return super().synthesize(text, conn_options=conn_options)
        self.texts.append(text)
        return _NoAudio(tts=self, input_text=text, conn_options=APIConnectOptions(max_retry=0))


class _NoAudio(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(request_id="1", sample_rate=16_000, num_channels=1, mime_type="audio/pcm")


@pytest.mark.parametrize("end", [("\n\n", "!"), (" \u200b", "."), (" Come early, it is worth it. ", "🙂 ", "!")])
async def test_lone_mark_is_no_failure_of_the_voice(end: tuple[str, ...]) -> None:
    voice, errors = LettersOnly(), []
    voice.on("error", errors.append)
    agent = museum_agent(strategy="off")
    main = ScriptedLLM("It opens at nine o'clock in the morning.", *end)
    async with AgentSession[Any](llm=main, tts=voice, vad=None, turn_handling={"turn_detection": None}) as session:
        session.output.audio = ManualAudioOutput(automatic=True)
        await session.start(agent)
        await session.run(user_input="When does it open?")
        said = [item.text_content or "" for item in session.history.items if item.type == "message"]
    assert apology("en") not in said
    assert said[-1].startswith("It opens at nine o'clock in the morning.")
    assert errors == []
