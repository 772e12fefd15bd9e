"""Every setting of both stacks: names, types, defaults and checks. ``.env.example`` explains each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AnyUrl,
    Field,
    SecretStr,
    StringConstraints,
    UrlConstraints,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_SYSTEM_PROMPT = (
    "You are a friendly assistant on a phone call. Answer in one to three short spoken sentences. "
    "Never use lists, markdown, emoji or anything that cannot be read aloud."
)

_CHECK_URL = {
    "http": UrlConstraints(allowed_schemes=["http", "https"], host_required=True),
    "ws": UrlConstraints(allowed_schemes=["ws", "wss", "http", "https"], host_required=True),
}


def _plain(url: AnyUrl) -> str:
    if url.username or url.password:
        raise ValueError("an address is shown in logs and must not hold a user name or password")
    return str(url).rstrip("/")


StrategyName = Literal["llm", "phrase", "hybrid", "off"]
HttpUrl = Annotated[AnyUrl, _CHECK_URL["http"], AfterValidator(_plain)]
LiveKitUrl = Annotated[AnyUrl, _CHECK_URL["ws"], AfterValidator(_plain)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(BaseSettings):
    """What both stacks share. Values come from the environment, which ``.env`` is loaded into."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", str_strip_whitespace=True)

    livekit_url: LiveKitUrl
    livekit_api_key: Text
    livekit_api_secret: Secret
    agent_name: str = ""

    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    system_prompt: Text = DEFAULT_SYSTEM_PROMPT
    greeting: Text = "Hello! How can I help you?"
    no_greeting: bool = False
    answer_max_tokens: Annotated[int, Field(gt=0)] = 300
    answer_timeout: Annotated[float, Field(gt=0)] = 5.0
    preresponse_strategy: StrategyName = "phrase"
    preresponse_prompt: str | None = None
    preresponse_budget: Annotated[float, Field(ge=0, le=5)] = 0.0
    preresponse_quick_answer: Annotated[float, Field(ge=0, le=5)] = 0.6
    preresponse_phrases: Path | None = None
    preresponse_audio_dir: Path | None = None
    endpointing_min_delay: Annotated[float, Field(ge=0, le=10)] = 0.25
    endpointing_max_delay: Annotated[float, Field(ge=0, le=10)] = 1.8
    endpointing_threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    prices: Path | None = None
    callers_choose_strategy: bool = False
    turn_log: Literal["off", "timing", "full"] = "off"

    worker_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    worker_max_calls: Annotated[int, Field(gt=0)] | None = None
    metrics_port: Annotated[int, Field(gt=0, le=65535)] | None = None


class CloudSettings(Settings):
    """Groq, Deepgram and OpenAI."""

    groq_api_key: Secret
    groq_base_url: HttpUrl = "https://api.groq.com/openai/v1"  # type: ignore[assignment]
    groq_fast_model: Text = "llama-3.1-8b-instant"
    groq_main_model: Text = "llama-3.3-70b-versatile"

    deepgram_api_key: Secret
    deepgram_base_url: HttpUrl = "https://api.deepgram.com/v1/listen"  # type: ignore[assignment]
    deepgram_model: Text = "nova-3"

    openai_api_key: Secret
    openai_base_url: HttpUrl = "https://api.openai.com/v1"  # type: ignore[assignment]
    openai_tts_model: Text = "gpt-4o-mini-tts"
    openai_tts_voice: Text = "ash"


class SelfHostedSettings(Settings):
    """Ollama, speaches and Kokoro, each on its usual port."""

    ollama_base_url: HttpUrl = "http://localhost:11434/v1"  # type: ignore[assignment]
    ollama_fast_model: Text = "llama3.1:8b"
    ollama_main_model: Text = "llama3.3:70b"

    speaches_base_url: HttpUrl = "http://localhost:8000/v1"  # type: ignore[assignment]
    speaches_api_key: Secret = SecretStr("none")
    speaches_model: Text = "Systran/faster-distil-whisper-small.en"

    kokoro_base_url: HttpUrl = "http://localhost:8880/v1"  # type: ignore[assignment]
    kokoro_api_key: Secret = SecretStr("none")
    kokoro_model: Text = "kokoro"
    kokoro_voice: Text = "af_heart"


SettingsT = TypeVar("SettingsT", bound=Settings)

_WHERE_TO_GET = {
    "LIVEKIT_URL": "the address of your LiveKit server, e.g. ws://localhost:7880",
    "LIVEKIT_API_KEY": "the key of your LiveKit server; `livekit-server --dev` uses devkey",
    "LIVEKIT_API_SECRET": "the secret of your LiveKit server; `livekit-server --dev` uses secret",
    "GROQ_API_KEY": "make one at https://console.groq.com/keys",
    "DEEPGRAM_API_KEY": "make one at https://console.deepgram.com",
    "OPENAI_API_KEY": "make one at https://platform.openai.com/api-keys",
}


class BadSettingsError(Exception):
    """Settings are missing or wrong.

    Attributes:
        problems: One line for each setting: its name, what is wrong, what to do. Never its value, which
            may be a secret.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def load(settings_type: type[SettingsT], overrides: dict[str, Any] | None = None) -> SettingsT:
    """Read and check the settings.

    Args:
        settings_type: The stack's settings.
        overrides: Values by field name that stand above the environment.

    Raises:
        BadSettingsError: With every missing or bad setting at once.
    """
    try:
        return settings_type(**(overrides or {}))
    except ValidationError as error:
        raise BadSettingsError([_describe(problem) for problem in error.errors()]) from None


def _describe(problem: Any) -> str:
    name = str(problem["loc"][0]).upper()
    if problem["type"] == "missing":
        hint = _WHERE_TO_GET.get(name, "see .env.example")
        return f"{name} is not set: put it into .env or the environment ({hint})"
    return f"{name} is wrong: {problem['msg']} (see .env.example)"
