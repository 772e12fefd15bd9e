"""List prices of providers, from packages that collect them: genai-prices for LLMs, voice-prices for STT and TTS.

Both hold their data in the package, and nothing is downloaded: a price is as old as the installed package. They take
0.6 s to import, so the worker looks its models up once, and the processes of calls receive the result.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from agent_worker.providers.stack import VoiceStack
from agent_worker.telemetry.pricing import (
    DEFAULT_TTS,
    Component,
    LLMPrice,
    Prices,
    PriceTable,
    STTPrice,
    TTSPrice,
)

#: What the packages are asked for: small, because some models cost more per token in long requests.
_UNITS = 1000


def add_list_prices(prices: Prices, stack: VoiceStack, language: str = "") -> tuple[Prices, list[str]]:
    """Look up the list prices of a stack's models. Blocks.

    Args:
        prices: The operator's prices, which take precedence.
        stack: The models.
        language: Of the calls; ``multi`` is more expensive at some providers of STT.

    Returns:
        The prices with the list prices, and the models that have none, as ``provider/model``. Those cost the default.
    """
    names = stack.provider_names
    llm: dict[str, LLMPrice] = {}
    stt: dict[str, STTPrice] = {}
    tts: dict[str, TTSPrice] = {}
    unknown: list[str] = []

    def add(component: Component, provider: str, model: str) -> None:
        key = f"{provider}/{model}"
        if not prices.needs_list_price(component, provider, model):
            return
        if component == "llm" and (llm_price := list_price_of_llm(provider, model)):
            llm[key] = llm_price
        elif component == "stt" and (stt_price := list_price_of_stt(provider, model, language)):
            stt[key] = stt_price
        elif component == "tts" and (tts_price := list_price_of_tts(provider, model)):
            tts[key] = tts_price
        elif key not in unknown:
            unknown.append(key)

    add("llm", names.llm, stack.fast_llm.model)
    add("llm", names.llm, stack.main_llm.model)
    add("stt", names.stt, stack.stt.model)
    add("tts", names.tts, stack.tts.model)
    return Prices(prices.own, PriceTable(llm=llm, stt=stt, tts=tts)), unknown


def list_price_of_llm(provider: str, model: str) -> LLMPrice | None:
    """Return the list price of an LLM, or ``None`` if it is unknown. Blocks."""
    import genai_prices

    def calculate(**usage: int) -> Any:
        return genai_prices.calc_price(genai_prices.Usage(**usage), model, provider_id=provider)

    try:
        prompt = calculate(input_tokens=_UNITS)
    except LookupError:
        return None
    if prompt.model_price.input_mtok is None or prompt.model_price.output_mtok is None:
        return None  # it has no price for text, such as a model of speech
    return LLMPrice(
        prompt=_per_million(prompt.input_price),
        completion=_per_million(calculate(output_tokens=_UNITS).output_price),
        cached_prompt=_per_million(calculate(input_tokens=_UNITS, cache_read_tokens=_UNITS).input_price),
    )


def list_price_of_stt(provider: str, model: str, language: str = "") -> STTPrice | None:
    """Return the list price of an STT model, or ``None`` if it is unknown or not by the minute. Blocks."""
    names = [f"{model}-multilingual", model] if language == "multi" else [model]
    costs = (_cost_of_speech(provider, name, audio_input_seconds=Decimal(60)) for name in names)
    cost = next((cost for cost in costs if cost is not None), None)
    return None if cost is None else STTPrice(per_minute=float(cost))


def list_price_of_tts(provider: str, model: str) -> TTSPrice | None:
    """Return the list price of a TTS model, or ``None`` if it is neither by characters nor by tokens. Blocks."""
    characters = _cost_of_speech(provider, model, characters=_UNITS)
    if characters is not None:
        return TTSPrice(per_million_characters=_per_million(characters))
    text = _cost_of_speech(provider, model, input_tokens=_UNITS)
    audio = _cost_of_speech(provider, model, output_tokens=_UNITS, output_audio_tokens=_UNITS)
    if text is None or audio is None:
        return None
    return TTSPrice(
        per_million_characters=DEFAULT_TTS.per_million_characters,  # for a request without reported tokens
        per_million_text_tokens=_per_million(text),
        per_million_audio_tokens=_per_million(audio),
    )


def _cost_of_speech(provider: str, model: str, **usage: Any) -> Decimal | None:
    import voice_prices

    try:
        result = voice_prices.calc_price(voice_prices.Usage(**usage), model, provider_id=provider)
    except LookupError:
        return None
    # A model that is billed in another unit costs 0 in this one.
    return None if result.unpriced_usage else result.total_price


def _per_million(cost_of_units: Decimal) -> float:
    return float(cost_of_units * (1_000_000 // _UNITS))
