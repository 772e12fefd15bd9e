from __future__ import annotations

from pathlib import Path

import pytest

from agent_worker.telemetry.pricing import BadPricesError, Prices, TTSPrice


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_default_prices_are_those_of_the_contract() -> None:
    fixed = Prices.load().fixed
    assert fixed.of_llm("groq", "any").of(1000, 1000) == pytest.approx(0.01 + 0.03)
    assert fixed.of_stt("deepgram", "any").of(1) == pytest.approx(0.0001)
    assert fixed.of_tts("openai", "any").of(1) == pytest.approx(0.000015)


def test_model_is_found_before_its_provider_and_both_before_any_other(tmp_path: Path) -> None:
    prices = Prices.load(
        own(
            tmp_path,
            """
llm:
  groq/llama: {prompt: 1, completion: 2, cached_prompt: 0.5}
  groq/*: {prompt: 3, completion: 4}
""",
        )
    ).current
    assert prices.of_llm("groq", "llama").of(2_000_000, 1_000_000, 1_000_000) == pytest.approx(1 + 0.5 + 2)
    assert prices.of_llm("groq", "other").of(1_000_000, 0) == pytest.approx(3)
    assert prices.of_llm("another", "llama").of(1_000_000, 0) == pytest.approx(10)


@pytest.mark.parametrize("provider", ["ollama", "vllm", "speaches", "kokoro"])
def test_providers_that_the_user_runs_cost_nothing(provider: str) -> None:
    prices = Prices.load()
    for table in (prices.fixed, prices.current):
        assert table.of_llm(provider, "any").of(1_000_000, 1_000_000) == 0
        assert table.of_stt(provider, "any").of(60) == 0
        assert table.of_tts(provider, "any").of(1_000) == 0


def test_tokens_of_a_voice_are_billed_only_where_they_have_a_price_and_are_reported() -> None:
    by_characters = TTSPrice(per_million_characters=10)
    by_tokens = TTSPrice(per_million_characters=10, per_million_text_tokens=1, per_million_audio_tokens=20)
    assert by_characters.of(1_000, 250, 1_250) == pytest.approx(0.01)
    assert by_tokens.of(1_000, 250, 1_250) == pytest.approx(0.000_25 + 0.025)
    assert by_tokens.of(1_000) == pytest.approx(0.01)


def test_every_problem_of_a_file_is_listed_at_once(tmp_path: Path) -> None:
    path = own(tmp_path, "llm: {groq/llama: {prompt: -1, completion: many}}\nvideo: {}\n")
    with pytest.raises(BadPricesError) as bad:
        Prices.load(path)
    problems = "\n".join(bad.value.problems)
    assert all(name in problems for name in ("llm.groq/llama.prompt", "llm.groq/llama.completion", "video"))


@pytest.mark.parametrize("text", ["[1, 2]", "llm: [", "", "just words"])
def test_file_that_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadPricesError):
        Prices.load(own(tmp_path, text))


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPricesError, match="cannot be read"):
        Prices.load(tmp_path / "none.yaml")
