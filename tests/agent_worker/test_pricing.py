from __future__ import annotations

from pathlib import Path

import pytest

from agent_worker.telemetry.pricing import BadPricesError, Prices


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_default_prices_are_those_of_the_contract() -> None:
    prices = Prices.load()
    assert prices.of_llm("groq", "any").of(1000, 1000) == pytest.approx(0.01 + 0.03)
    assert prices.of_stt("deepgram", "any").of(1) == pytest.approx(0.0001)
    assert prices.of_tts("openai", "any").of(1) == pytest.approx(0.000015)


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
    )
    assert prices.of_llm("groq", "llama").of(2_000_000, 1_000_000, 1_000_000) == pytest.approx(1 + 0.5 + 2)
    assert prices.of_llm("groq", "other").of(1_000_000, 0) == pytest.approx(3)
    assert prices.of_llm("another", "llama").of(1_000_000, 0) == pytest.approx(10)


def test_providers_that_the_user_runs_cost_nothing() -> None:
    prices = Prices.load()
    assert prices.of_llm("ollama", "any").of(1_000_000, 1_000_000) == 0
    assert prices.of_stt("speaches", "any").of(60) == 0
    assert prices.of_tts("kokoro", "any").of(1_000) == 0


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
