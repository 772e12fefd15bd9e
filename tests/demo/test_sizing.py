"""Which models a machine gets, by injected figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo.sizing import MAX_ANSWER_S, choose, expected_answer_s, llm_threads
from model_server.measure import MachineFigures

MAIN_BYTES = 1_100_000_000
LAPTOP = MachineFigures(
    cores=8,
    free_memory_mb=8000,
    tts_realtime_factor=0.02,
    stt_realtime_factor=0.1,
    prompt_tokens_per_s=300,
    tokens_per_s=60,
    llm_bytes=490_000_000,
)
# Two cores of 2017. Answers began after 3.4 s with the small model, and after 5.3 s with the larger one (medians).
SLOW = replace(LAPTOP, cores=2, prompt_tokens_per_s=75, tokens_per_s=17, stt_realtime_factor=0.15)
HOPELESS = replace(SLOW, prompt_tokens_per_s=10, tokens_per_s=2, tts_realtime_factor=0.5)


def test_fast_machine_gets_the_larger_model() -> None:
    fit = choose(LAPTOP, MAIN_BYTES)
    assert not fit.small
    assert not fit.too_slow
    assert fit.answer_s < 2.5


def test_slow_machine_gets_the_small_model() -> None:
    fit = choose(SLOW, MAIN_BYTES)
    assert fit.small
    assert not fit.too_slow


@pytest.mark.parametrize(("small", "measured_s"), [(True, 3.4), (False, 5.3)])
def test_expectation_is_near_what_was_measured_in_calls(small: bool, measured_s: float) -> None:
    assert choose(SLOW, MAIN_BYTES, small).answer_s == pytest.approx(measured_s, abs=0.5)


def test_machine_that_is_too_slow_says_so_in_one_sentence_with_the_figures() -> None:
    fit = choose(HOPELESS, MAIN_BYTES)
    assert (fit.small, fit.too_slow) == (True, True)
    assert "\n" not in fit.reason
    assert all(figure in fit.reason for figure in ("2 cores", "2 tokens/s", "0.50", f"{fit.answer_s:.0f} s"))


def test_little_memory_gets_the_small_model() -> None:
    assert choose(replace(LAPTOP, free_memory_mb=3000), MAIN_BYTES).small


@pytest.mark.parametrize("small", [True, False])
def test_wish_of_the_user_wins(small: bool) -> None:
    assert choose(LAPTOP, MAIN_BYTES, small).small is small
    assert choose(SLOW, MAIN_BYTES, small).small is small


def test_larger_model_that_the_user_wants_on_a_slow_machine_is_called_too_slow() -> None:
    fit = choose(SLOW, MAIN_BYTES, small=False)
    assert fit.answer_s > MAX_ANSWER_S
    assert fit.too_slow
    assert "the larger model" in fit.reason


def test_slower_model_takes_longer_in_proportion_to_its_part_alone() -> None:
    once, twice, thrice = (expected_answer_s(LAPTOP, ratio) for ratio in (1.0, 2.0, 3.0))
    assert thrice - twice == pytest.approx(twice - once)
    assert twice < 2 * once


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (3, 2), (4, 3), (8, 4), (64, 4)])
def test_one_core_is_left_to_voice_and_recognition(cores: int, threads: int) -> None:
    assert llm_threads(cores) == threads
