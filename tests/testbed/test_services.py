"""The settings and arguments of the parts of a whole system."""

from __future__ import annotations

import pytest

from model_server.backends import AliasedModel
from model_server.llm import FAST_ALIASES, MAIN_ALIASES, MainAndFastModel
from model_server.real import TTS_NAMES, ModelChoice
from model_server.stt import Whisper
from model_server.tts import HibariTTS, KokoroTTS
from testbed.services import Ports, model_names_env, real_models, whole_system


def test_worker_asks_for_the_models_by_their_own_names() -> None:
    env = model_names_env(ModelChoice("/models/Llama-3.2-3B.gguf", "qwen-0.5b", "kokoro"))
    assert env["OLLAMA_MAIN_MODEL"] == "Llama-3.2-3B"
    assert env["OLLAMA_FAST_MODEL"] == "Qwen2.5-Coder-0.5B-Instruct"
    assert Whisper.names.resolve(env["SPEACHES_MODEL"]) == env["SPEACHES_MODEL"]
    assert KokoroTTS.names.resolve(env["KOKORO_MODEL"]) == env["KOKORO_MODEL"]


def test_each_voice_has_the_name_that_its_model_answers_to() -> None:
    assert {"hibari": HibariTTS.names.name, "kokoro": KokoroTTS.names.name} == TTS_NAMES


def test_phrases_of_two_voices_are_kept_apart() -> None:
    folders = {model_names_env(ModelChoice(voice=voice))["PRERESPONSE_AUDIO_DIR"] for voice in TTS_NAMES}
    assert len(folders) == len(TTS_NAMES)


def test_model_server_gets_the_whole_choice() -> None:
    command = real_models(1234, ModelChoice("a.gguf", "b.gguf", "kokoro", 3)).command
    arguments = dict(zip(command[3::2], command[4::2], strict=True))
    assert arguments == {
        "--port": "1234",
        "--main-model": "a.gguf",
        "--fast-model": "b.gguf",
        "--voice": "kokoro",
        "--llm-threads": "3",
    }


def test_settings_of_the_caller_of_whole_system_win(tmp_path_factory: pytest.TempPathFactory) -> None:
    services = whole_system("w.py", Ports(), tmp_path_factory.mktemp("m"), {"OLLAMA_MAIN_MODEL": "mine"})
    (worker,) = [service for service in services if service.name.startswith("worker")]
    assert worker.env["OLLAMA_MAIN_MODEL"] == "mine"


class _Model:
    def __init__(self, name: str, aliases: frozenset[str]) -> None:
        self.names = AliasedModel(name, aliases)


def test_main_and_fast_model_answer_to_their_own_names_and_aliases() -> None:
    both = MainAndFastModel(_Model("large", MAIN_ALIASES), _Model("small", FAST_ALIASES))  # type: ignore[arg-type]
    assert both.listed == ("large", "small")
    assert {both.resolve(name) for name in ("large", *MAIN_ALIASES)} == {"large"}
    assert {both.resolve(name) for name in ("small", *FAST_ALIASES)} == {"small"}
