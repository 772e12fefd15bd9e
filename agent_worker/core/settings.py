"""Every setting of both stacks: names, types, defaults, checks, and what each is for."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

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


class FromEnvironment(BaseSettings):
    """Values come from the environment, which ``.env`` is loaded into. Empty is unset.

    The text below each field is what ``.env.example`` and ``docs/configuration.md`` say of it (``make reference``), and
    of a missing one the error as well.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", str_strip_whitespace=True)

    @classmethod
    def explanations(cls) -> dict[str, str]:
        """The text below each field, on one line, by the field's name.

        Read from the source, where there is one, when it is asked for. pydantic's ``use_attribute_docstrings`` reads it
        at each import: 17 ms that every call's process would pay.
        """
        found: dict[str, str] = {}
        for kind in cls.__mro__:
            if issubclass(kind, FromEnvironment):
                found = _explanations_in(kind) | found
        return found


class LiveKitSettings(FromEnvironment):
    """The server that calls come through. `livekit-server --dev` has these values."""

    livekit_url: Annotated[LiveKitUrl, Field(examples=["ws://localhost:7880"])]
    """The address of your LiveKit server, such as ws://localhost:7880 or wss://example.livekit.cloud."""
    livekit_api_key: Annotated[Text, Field(examples=["devkey"])]
    """The key of your LiveKit server; `livekit-server --dev` uses devkey."""
    livekit_api_secret: Annotated[Secret, Field(examples=["secret"])]
    """The secret of your LiveKit server; `livekit-server --dev` uses secret."""
    agent_name: str = ""
    """Empty: join every new room. A name: join only rooms that ask for an agent of this name."""


class ConversationSettings(FromEnvironment):
    """What is said, when, and by which rules, with either stack."""

    usual_voice_timeout: ClassVar[float] = 3.5
    usual_transcript_timeout: ClassVar[float] = 3.0

    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    """Two letters, or with a region: en, en-US, de, pt-BR … Both prompts should be in this language."""
    system_prompt: Text = DEFAULT_SYSTEM_PROMPT
    """What the main model is told to be."""
    answer_max_tokens: Annotated[int, Field(gt=0, le=100_000)] = 300
    """The longest answer, in tokens: a limit for a model that does not stop, not a way to short answers."""
    greeting: Text = "Hello! How can I help you?"
    """Spoken when a caller joins."""
    no_greeting: bool = False
    """true lets the caller speak first."""
    answer_timeout: Annotated[float, Field(gt=0, le=60)] = 4.0
    """How long the main model may take to begin, in seconds, before the fast model answers in its place."""
    voice_timeout: Annotated[float, Field(gt=0, le=60)] | None = None
    """How long the voice may let the caller wait for a sentence, in seconds, before an apology is spoken. Unset: 3.5; 8
    with the self-hosted stack, whose voice may run on a CPU."""
    transcript_timeout: Annotated[float, Field(gt=0, le=60)] | None = None
    """How long after the caller's last voice the transcript may take, in seconds, before the caller is asked to say it
    again: what has not been understood by then is lost. Unset: 3; 8 with the self-hosted stack."""
    preresponse_strategy: StrategyName = "phrase"
    """What is said at once. phrase: a phrase that fits, with audio made beforehand. llm: the fast model's own words.
    hybrid: the fast model's own words if they are there in time, else a phrase. off: only the main model speaks."""
    preresponse_prompt: str | None = None
    """What the fast model is told to be. Its default is in agent_worker/preresponse/fast_reply.py."""
    preresponse_budget: Annotated[float, Field(ge=0, le=5)] = 0.0
    """How long `hybrid` makes the caller wait for the fast model after the end of the turn, in seconds."""
    preresponse_quick_answer: Annotated[float, Field(ge=0, le=5)] = 0.6
    """An answer expected within so many seconds needs no pre-response."""
    preresponse_phrases: Path | None = None
    """Your own phrases: a YAML or JSON file, shaped like those in agent_worker/text/data/phrases/. Where the kind is in
    doubt, what two lists share is said: give kinds that are easily confused some phrases in common."""
    preresponse_audio_dir: Path | None = None
    """Where the phrases' audio is kept, which is made once for each voice. Unset: ~/.cache/agent-worker/phrases."""
    endpointing_min_delay: Annotated[float, Field(ge=0, le=10)] = 0.25
    """How long after the caller's last voice the turn ends, in seconds: at least this, when the end-of-turn model takes
    it for the end. docs/benchmarks/endpointing.md shows what callers who pause pay for haste."""
    endpointing_max_delay: Annotated[float, Field(ge=0, le=10)] = 1.8
    """The same when the model does not take it for the end."""
    endpointing_threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The probability from which the model takes it for the end. Unset: the model's own, by language (English: 0.36).
    Higher cuts fewer callers off who pause, and lets more wait for ENDPOINTING_MAX_DELAY."""
    prices: Path | None = None
    """Your own prices: a YAML or JSON file, shaped as docs/metrics.md shows."""
    callers_choose_strategy: bool = False
    """Whether a caller may choose the strategy in the call (docs/turns.md): true for trying things out."""
    turn_log: Literal["off", "timing", "full"] = "off"
    """One JSON line a turn in the log. timing: without what anybody said. full: with it."""


class WorkerSettings(FromEnvironment):
    """The process on each machine that takes calls."""

    worker_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    """LiveKit's health check of the worker; 0 picks a free port."""
    worker_max_calls: Annotated[int, Field(gt=0, le=100_000)] | None = None
    """About how many calls at once. Unset, LiveKit's own measure holds: no more calls while the CPU is over 70 %
    busy."""
    call_max_seconds: Annotated[int, Field(gt=0, le=604_800)] | None = None
    """After so many seconds the agent says goodbye and closes the room. Unset, as is usual with LiveKit: a call lasts
    as long as its caller stays, and you pay for it."""
    call_memory_limit_mb: Annotated[int, Field(ge=512, le=1_000_000)] | None = None
    """A call's process that takes more memory than so many MB is ended, and its caller gets another agent within
    seconds. Unset: no limit of its own. Memory is PSS: what processes share counts in parts. It holds for processes
    that wait for a call too."""
    worker_drain_timeout: Annotated[int, Field(gt=0, le=604_800)] = 600
    """How long running calls may go on after the worker was told to stop (SIGTERM, Ctrl-C), in seconds. It takes no
    new ones meanwhile."""
    metrics_port: Annotated[int, Field(gt=0, le=65535)] | None = None
    """Serve the metrics on this port from here, those of the host's other workers too. Unset: run
    `python -m agent_metrics` yourself."""


class Settings(LiveKitSettings, ConversationSettings, WorkerSettings):
    """What both stacks share."""


class CloudSettings(Settings):
    """Groq for both language models, Deepgram to hear, OpenAI to speak."""

    groq_api_key: Secret
    """Make one at https://console.groq.com/keys"""
    groq_base_url: HttpUrl = "https://api.groq.com/openai/v1"  # type: ignore[assignment]
    """Groq's address, or that of another service with OpenAI's chat completions."""
    groq_fast_model: Text = "llama-3.1-8b-instant"
    """The model whose words `llm` and `hybrid` say first, and that answers when the main model fails."""
    groq_main_model: Text = "llama-3.3-70b-versatile"
    """The model that answers."""

    deepgram_api_key: Secret
    """Make one at https://console.deepgram.com"""
    deepgram_base_url: HttpUrl = "https://api.deepgram.com/v1/listen"  # type: ignore[assignment]
    """Deepgram's address."""
    deepgram_model: Text = "nova-3"
    """The model that understands the caller."""

    openai_api_key: Secret
    """Make one at https://platform.openai.com/api-keys"""
    openai_base_url: HttpUrl = "https://api.openai.com/v1"  # type: ignore[assignment]
    """OpenAI's address, or that of another service with OpenAI's speech synthesis."""
    openai_tts_model: Text = "gpt-4o-mini-tts"
    """The model that speaks."""
    openai_tts_voice: Text = "ash"
    """One of that model's voices."""


class SelfHostedSettings(Settings):
    """Ollama, speaches and Kokoro, each on its usual port."""

    usual_voice_timeout: ClassVar[float] = 8.0
    usual_transcript_timeout: ClassVar[float] = 8.0

    ollama_base_url: HttpUrl = "http://localhost:11434/v1"  # type: ignore[assignment]
    """Ollama's address."""
    ollama_fast_model: Text = "llama3.1:8b"
    """The model whose words `llm` and `hybrid` say first, and that answers when the main model fails."""
    ollama_main_model: Text = "llama3.3:70b"
    """The model that answers."""

    speaches_base_url: HttpUrl = "http://localhost:8000/v1"  # type: ignore[assignment]
    """The address of speaches, or of another service with OpenAI's transcriptions."""
    speaches_api_key: Secret = SecretStr("none")
    """What speaches was started with as API_KEY; any word if with none."""
    speaches_model: Text = "Systran/faster-distil-whisper-small.en"
    """The model that understands the caller."""

    kokoro_base_url: HttpUrl = "http://localhost:8880/v1"  # type: ignore[assignment]
    """Kokoro's address, or that of another service with OpenAI's speech synthesis."""
    kokoro_api_key: Secret = SecretStr("none")
    """Any word: Kokoro asks for none. For another service, its key."""
    kokoro_model: Text = "kokoro"
    """The model that speaks."""
    kokoro_voice: Text = "af_heart"
    """One of that model's voices."""


SettingsT = TypeVar("SettingsT", bound=Settings)
AnySettingsT = TypeVar("AnySettingsT", bound=FromEnvironment)


class BadSettingsError(Exception):
    """Settings are missing or wrong.

    Attributes:
        problems: One line for each setting: its name, what is wrong, what to do. Never its value, which
            may be a secret.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def load(settings_type: type[AnySettingsT], overrides: dict[str, Any] | None = None) -> AnySettingsT:
    """Read and check the settings.

    Args:
        settings_type: A stack's settings, or another program's.
        overrides: Values by field name that stand above the environment.

    Raises:
        BadSettingsError: With every missing or bad setting at once.
    """
    try:
        return settings_type(**(overrides or {}))
    except ValidationError as error:
        raise BadSettingsError([_describe(problem, settings_type) for problem in error.errors()]) from None


def _describe(problem: Any, settings_type: type[FromEnvironment]) -> str:
    field = str(problem["loc"][0])
    name = field.upper()
    if problem["type"] == "missing":
        hint = settings_type.explanations().get(field, "see .env.example")
        return f"{name} is not set: put it into .env or the environment ({hint.rstrip('.')})"
    return f"{name} is wrong: {problem['msg'].removeprefix('Value error, ')} (see .env.example)"


@functools.cache  # each setting that is missing asks for them
def _explanations_in(kind: type) -> dict[str, str]:
    try:
        (class_,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    except OSError:
        return {}
    found = {}
    for pair in itertools.pairwise(getattr(class_, "body", ())):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=field)), ast.Expr(value=ast.Constant(value=str(text))):
                found[field] = " ".join(text.split())
    return found
