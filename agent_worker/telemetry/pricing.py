"""Prices of providers by provider and model, in US dollars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent_worker.core.user_file import BadFileError, read

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]
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
    """US dollars per million characters."""

    per_million_characters: Usd

    def of(self, characters: int) -> float:
        """Return the cost of this many characters in US dollars."""
        return characters * self.per_million_characters / 1e6


class BadPricesError(BadFileError):
    """A file of prices cannot be used."""


class Prices(_Strict):
    """Prices by ``provider/model``; ``provider/*`` is any other model of a provider, ``*`` any other model."""

    llm: Mapping[str, LLMPrice] = {}
    stt: Mapping[str, STTPrice] = {}
    tts: Mapping[str, TTSPrice] = {}

    @classmethod
    def load(cls, overrides: Path | None = None) -> Prices:
        """Return the default prices, replaced by those in ``overrides`` where it has some.

        Args:
            overrides: YAML or JSON in the shape of this class.

        Raises:
            BadPricesError: With every problem of the file at once.
        """
        custom = _read(overrides) if overrides else cls()
        return cls(llm={**_LLM, **custom.llm}, stt={**_STT, **custom.stt}, tts={**_TTS, **custom.tts})

    def of_llm(self, provider: str, model: str) -> LLMPrice:
        """Return the price of an LLM."""
        return _find(self.llm, provider, model)

    def of_stt(self, provider: str, model: str) -> STTPrice:
        """Return the price of an STT model."""
        return _find(self.stt, provider, model)

    def of_tts(self, provider: str, model: str) -> TTSPrice:
        """Return the price of a TTS model."""
        return _find(self.tts, provider, model)


# The providers of the self-hosted stack run on the user's own machines.
_LLM = {_ANY: LLMPrice(prompt=10, completion=30), "ollama/*": LLMPrice(prompt=0, completion=0)}
_STT = {_ANY: STTPrice(per_minute=0.006), "speaches/*": STTPrice(per_minute=0)}
_TTS = {_ANY: TTSPrice(per_million_characters=15), "kokoro/*": TTSPrice(per_million_characters=0)}


def _find(prices: Mapping[str, _T], provider: str, model: str) -> _T:
    return next(prices[key] for key in (f"{provider}/{model}", f"{provider}/*", _ANY) if key in prices)


def _read(path: Path) -> Prices:
    try:
        return Prices.model_validate(read(path, BadPricesError))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, found['loc'])) or 'file'}: {found['msg']}" for found in error.errors()]
        raise BadPricesError(path, problems) from None
