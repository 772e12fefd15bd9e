"""List prices of a stack's models: looked up in the packages that collect them."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import genai_prices
import pytest
import voice_prices

from agent_worker.app.worker import complete_prices
from agent_worker.providers.stack import ProviderNames, VoiceStack
from agent_worker.telemetry.list_prices import (
    add_list_prices,
    list_price_of_llm,
    list_price_of_stt,
    list_price_of_tts,
)
from agent_worker.telemetry.pricing import DEFAULT_LLM, LLMPrice, Prices, PriceTable
from agent_worker.testing import ScriptedLLM, ScriptedSTT, ScriptedTTS


class NamedLLM(ScriptedLLM):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    @property
    def model(self) -> str:
        return self._name


class NamedSTT(ScriptedSTT):
    @property
    def model(self) -> str:
        return "nova-3"


class NamedTTS(ScriptedTTS):
    @property
    def model(self) -> str:
        return "tts-1"


def stack_of(fast: str, main: str, provider: str = "groq") -> VoiceStack:
    return VoiceStack(
        stt=NamedSTT(),
        fast_llm=NamedLLM(fast),
        main_llm=NamedLLM(main),
        tts=NamedTTS(),
        vad=None,  # type: ignore[arg-type]
        voice="voice",
        provider_names=ProviderNames(stt="deepgram", llm=provider, tts="openai"),
    )


@pytest.mark.parametrize(
    ("provider", "model"),
    [("groq", "llama-3.3-70b-versatile"), ("groq", "openai/gpt-oss-20b"), ("openai", "gpt-4.1-mini")],
)
def test_llm_costs_what_the_package_says(provider: str, model: str) -> None:
    usage = genai_prices.Usage(input_tokens=3_000, cache_read_tokens=1_000, output_tokens=500)
    expected = genai_prices.calc_price(usage, model, provider_id=provider).total_price
    price = list_price_of_llm(provider, model)
    assert price is not None
    assert expected > 0
    assert price.of(3_000, 500, 1_000) == pytest.approx(float(expected))


@pytest.mark.parametrize(
    ("provider", "model"), [("deepgram", "nova-3"), ("openai", "gpt-4o-mini-transcribe"), ("groq", "whisper-large-v3")]
)
def test_stt_costs_what_the_package_says(provider: str, model: str) -> None:
    usage = voice_prices.Usage(audio_input_seconds=Decimal(600))
    expected = voice_prices.calc_price(usage, model, provider_id=provider).total_price
    price = list_price_of_stt(provider, model)
    assert price is not None
    assert expected > 0
    assert price.of(600) == pytest.approx(float(expected))


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "tts-1"), ("deepgram", "aura-2-thalia-en"), ("cartesia", "sonic-3")]
)
def test_voice_costs_what_the_package_says(provider: str, model: str) -> None:
    expected = voice_prices.calc_price(voice_prices.Usage(characters=500), model, provider_id=provider).total_price
    price = list_price_of_tts(provider, model)
    assert price is not None
    assert expected > 0
    assert price.of(500) == pytest.approx(float(expected))


def test_voice_by_tokens_costs_its_tokens() -> None:
    usage = voice_prices.Usage(input_tokens=25, output_tokens=150, output_audio_tokens=150)
    expected = voice_prices.calc_price(usage, "gpt-4o-mini-tts", provider_id="openai").total_price
    price = list_price_of_tts("openai", "gpt-4o-mini-tts")
    assert price is not None
    assert expected > 0
    assert price.of(100, 25, 150) == pytest.approx(float(expected))


def test_recognition_of_many_languages_has_its_own_price() -> None:
    one, many = list_price_of_stt("deepgram", "nova-3", "en"), list_price_of_stt("deepgram", "nova-3", "multi")
    assert one is not None
    assert many is not None
    assert many.per_minute > one.per_minute
    assert list_price_of_stt("groq", "whisper-large-v3", "multi") == list_price_of_stt("groq", "whisper-large-v3")


@pytest.mark.parametrize(
    ("provider", "model"), [("groq", "no-such-model"), ("nobody", "gpt-4.1-mini"), ("openai", "whisper-1"), ("", "")]
)
def test_model_without_a_price_for_text_has_no_price(provider: str, model: str) -> None:
    assert list_price_of_llm(provider, model) is None


def test_speech_in_another_unit_has_no_price() -> None:
    assert list_price_of_stt("openai", "tts-1") is None
    assert list_price_of_tts("deepgram", "nova-3") is None
    assert list_price_of_stt("nobody", "nova-3") is None


def test_models_of_a_stack_get_list_prices() -> None:
    prices, unknown = add_list_prices(Prices(), stack_of("llama-3.1-8b-instant", "llama-3.3-70b-versatile"))
    fast = prices.current.of_llm("groq", "llama-3.1-8b-instant")
    main = prices.current.of_llm("groq", "llama-3.3-70b-versatile")
    assert unknown == []
    assert fast.prompt < main.prompt < DEFAULT_LLM.prompt
    assert prices.current.of_stt("deepgram", "nova-3") == list_price_of_stt("deepgram", "nova-3")
    assert prices.fixed.of_llm("groq", "llama-3.3-70b-versatile") == DEFAULT_LLM


@pytest.mark.parametrize("key", ["groq/llama-3.3-70b-versatile", "groq/*", "*"])
def test_price_of_the_operator_precedes_the_list_price(key: str) -> None:
    own = Prices(own=PriceTable(llm={key: LLMPrice(prompt=7, completion=7)}))
    prices, _ = add_list_prices(own, stack_of("llama-3.3-70b-versatile", "llama-3.3-70b-versatile"))
    assert prices.current.of_llm("groq", "llama-3.3-70b-versatile").prompt == 7


def test_model_without_a_list_price_costs_the_default_and_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        prices = complete_prices(Prices(), stack_of("mystery", "mystery"), "en")
    assert prices.current.of_llm("groq", "mystery") == DEFAULT_LLM
    (record,) = caplog.records
    assert record.getMessage().count("groq/mystery") == 1


def test_nothing_is_said_of_a_stack_whose_models_have_prices(caplog: pytest.LogCaptureFixture) -> None:
    complete_prices(Prices(), stack_of("any", "any", provider="ollama"), "en")
    assert not caplog.records


def test_prices_can_be_pickled_for_the_processes_of_calls(tmp_path: Path) -> None:
    """A process of a call must not import the packages: they take more than half a second."""
    prices, _ = add_list_prices(Prices(), stack_of("llama-3.1-8b-instant", "llama-3.3-70b-versatile"))
    (tmp_path / "prices").write_bytes(pickle.dumps(prices))
    code = (
        "import pickle, sys, pathlib; prices = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes());"
        "print(prices.current.of_llm('groq', 'llama-3.1-8b-instant').prompt, 'genai_prices' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "prices")], capture_output=True, text=True, check=True
    )
    expected = prices.current.of_llm("groq", "llama-3.1-8b-instant").prompt
    assert ran.stdout.split() == [str(expected), "False"]
