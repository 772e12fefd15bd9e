"""Test doubles for agents and strategies: scripted models, voices and audio, and whole turns without a network.

    from agent_worker.testing import ScriptedLLM, run_turn

    turn = await run_turn(my_agent, "What time do you open?", llm=ScriptedLLM("At nine."))
    assert turn.preresponse == "Let me see."
    assert turn.answer == "At nine."

The doubles implement livekit's own interfaces. ``docs/testing.md`` has examples. May be imported by tests only.
"""

from agent_worker.testing.audio_io import ManualAudioOutput, SilentMicrophone
from agent_worker.testing.llm import ScriptedLLM
from agent_worker.testing.stt import ScriptedSTT
from agent_worker.testing.tts import SAMPLE_RATE_HZ, SECONDS_PER_CHAR, ScriptedTTS, SilentTTS, tone
from agent_worker.testing.turn import Conversation, TurnResult, conversation, run_turn
from agent_worker.testing.vad import ScriptedVAD

__all__ = [
    "SAMPLE_RATE_HZ",
    "SECONDS_PER_CHAR",
    "Conversation",
    "ManualAudioOutput",
    "ScriptedLLM",
    "ScriptedSTT",
    "ScriptedTTS",
    "ScriptedVAD",
    "SilentMicrophone",
    "SilentTTS",
    "TurnResult",
    "conversation",
    "run_turn",
    "tone",
]
