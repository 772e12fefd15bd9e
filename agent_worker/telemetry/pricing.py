"""Prices of providers by provider and model, in US dollars. ``docs/costs.md`` says which number uses which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent_worker.core.user_file import BadFileError, read

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Component = Literal["llm", "stt", "tts"]
_T = TypeVar("_T")
_ANY = "*"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LLMPrice(_Strict):
    """US dollars per million tokens."""

    prompt: Usd
    completion: Usd
    cached_prompt: Usd | None = None
    """Price of prompt tokens from the provider's cache; without it they cost as much as others."""

    def of(self, prompt: float, completion: float, cached: float = 0) -> float:
        """Return the cost of a request in US dollars.

        Args:
            prompt: Prompt tokens.
            completion: Completion tokens.
            cached: Those of the prompt tokens that came from the provider's cache.
        """
        cached_price = self.prompt if self.cached_prompt is None else self.cached_prompt
        return ((prompt - cached) * self.prompt + cached * cached_price + completion * self.completion) / 1e6


class STTPrice(_Strict):
    """US dollars per minute of audio."""

    per_minute: Usd

    def of(self, seconds: float) -> float:
        """Return the cost of this many seconds of audio in US dollars."""
        return seconds * self.per_minute / 60


class TTSPrice(_Strict):
    """US dollars per million characters, or per million tokens if the provider reports them."""

    per_million_characters: Usd
    per_million_text_tokens: Usd | None = None
    """Price of the tokens of the text. With ``per_million_audio_tokens``, for a voice that is billed by tokens."""
    per_million_audio_tokens: Usd | None = None

    def of(self, characters: int, text_tokens: int = 0, audio_tokens: int = 0) -> float:
        """Return the cost of a synthesis in US dollars.

        Args:
            characters: Of its text.
            text_tokens: Tokens of its text as the provider reports them; 0: it reports none.
            audio_tokens: Tokens of its audio, likewise.
        """
        per_text, per_audio = self.per_million_text_tokens, self.per_million_audio_tokens
        is_by_tokens = per_text is not None or per_audio is not None
        if is_by_tokens and (text_tokens or audio_tokens):
            return (text_tokens * (per_text or 0) + audio_tokens * (per_audio or 0)) / 1e6
        return characters * self.per_million_characters / 1e6


class BadPricesError(BadFileError):
    """A file of prices cannot be used."""


class PriceTable(_Strict):
    """Prices by ``provider/model``; ``provider/*`` is any other model of a provider, ``*`` any other model."""

    llm: Mapping[str, LLMPrice] = {}
    stt: Mapping[str, STTPrice] = {}
    tts: Mapping[str, TTSPrice] = {}


@dataclass(frozen=True)
class PriceList:
    """Tables of prices: the first that has a model decides, and a model that none has costs the default."""

    tables: tuple[PriceTable, ...]

    def of_llm(self, provider: str, model: str) -> LLMPrice:
        """Return the price of an LLM."""
        return _find((table.llm for table in self.tables), provider, model) or DEFAULT_LLM

    def of_stt(self, provider: str, model: str) -> STTPrice:
        """Return the price of an STT model."""
        return _find((table.stt for table in self.tables), provider, model) or DEFAULT_STT

    def of_tts(self, provider: str, model: str) -> TTSPrice:
        """Return the price of a TTS model."""
        return _find((table.tts for table in self.tables), provider, model) or DEFAULT_TTS


@dataclass(frozen=True)
class Prices:
    """All prices of a worker. It is pickled for the processes of calls.

    Attributes:
        own: Those of the operator's file.
        listed: The providers' list prices of the stack's models; see :mod:`agent_worker.telemetry.list_prices`.
    """

    own: PriceTable = field(default_factory=PriceTable)
    listed: PriceTable = field(default_factory=PriceTable)

    @classmethod
    def load(cls, overrides: Path | None = None) -> Prices:
        """Return the prices without list prices.

        Args:
            overrides: The operator's file: YAML or JSON in the shape of :class:`PriceTable`.

        Raises:
            BadPricesError: With every problem of the file at once.
        """
        return cls(own=_read(overrides) if overrides else PriceTable())

    @property
    def fixed(self) -> PriceList:
        """The prices of the gauges ``livekit_*_cost_total``: only the operator's file changes them."""
        return PriceList((self.own, _SELF_HOSTED))

    @property
    def current(self) -> PriceList:
        """The prices of ``livekit_cost_usd_total``, of turn records and of the limit of a call."""
        return PriceList((self.own, _SELF_HOSTED, self.listed))

    def needs_list_price(self, component: Component, provider: str, model: str) -> bool:
        """Return whether a list price would be used: the operator has set no price and does not run the model."""
        return _find((getattr(table, component) for table in self.fixed.tables), provider, model) is None


DEFAULT_LLM = LLMPrice(prompt=10, completion=30)
DEFAULT_STT = STTPrice(per_minute=0.006)
DEFAULT_TTS = TTSPrice(per_million_characters=15)

#: Servers that run on the user's own machines.
_SELF_HOSTED_NAMES = (
    "ollama",
    "vllm",
    "llama.cpp",
    "lmstudio",
    "localai",
    "speaches",
    "faster-whisper",
    "kokoro",
    "piper",
)
_SELF_HOSTED = PriceTable(
    llm={f"{name}/*": LLMPrice(prompt=0, completion=0) for name in _SELF_HOSTED_NAMES},
    stt={f"{name}/*": STTPrice(per_minute=0) for name in _SELF_HOSTED_NAMES},
    tts={f"{name}/*": TTSPrice(per_million_characters=0) for name in _SELF_HOSTED_NAMES},
)


def _find(tables: Iterable[Mapping[str, _T]], provider: str, model: str) -> _T | None:
    keys = (f"{provider}/{model}", f"{provider}/*", _ANY)
    return next((table[key] for table in tables for key in keys if key in table), None)


def _read(path: Path) -> PriceTable:
    try:
        return PriceTable.model_validate(read(path, BadPricesError))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, found['loc'])) or 'file'}: {found['msg']}" for found in error.errors()]
        raise BadPricesError(path, problems) from None
