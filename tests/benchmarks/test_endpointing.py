from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.endpointing import policy
from benchmarks.endpointing.policy import STOCK, Outcomes, Setting
from benchmarks.endpointing.turns import Silence, Turn

END = 5.0


def silence(since: float, probability: float, resumed_at: float | None = None) -> Silence:
    return Silence(
        speech_from=since - 1,
        since=since,
        reported_at=since + 0.256,
        probability=probability,
        predicted_at=since + 0.256,
        prediction_seconds=0.02,
        resumed_at=resumed_at,
    )


def turn(*silences: Silence, sentence: int = 0) -> Turn:
    return Turn(
        sentence=sentence,
        category="question",
        voice="nova",
        text="Where is, | the station?",
        one_piece=True,
        noise_dbfs=-60.0,
        pauses=(),
        end=END,
        silences=silences,
    )


AT_THE_END = silence(END, 0.9)


def outcome(heard: Turn, setting: Setting = STOCK, transcription_delay: float = 0.2) -> tuple[bool, float]:
    outcomes = policy.simulate([heard], setting, transcription_delay)
    return bool(outcomes.cuts[0]), float(outcomes.delays[0])


def test_likely_end_waits_for_min_delay_and_unlikely_end_for_max_delay() -> None:
    assert outcome(turn(AT_THE_END)) == (False, pytest.approx(0.3))
    assert outcome(turn(silence(END, 0.35))) == (False, pytest.approx(2.5))


def test_turn_is_cut_if_the_caller_resumes_after_the_delay() -> None:
    assert outcome(turn(silence(2.0, 0.9, resumed_at=2.4), AT_THE_END)) == (True, pytest.approx(0.3))
    assert outcome(turn(silence(2.0, 0.9, resumed_at=2.29), AT_THE_END)) == (False, pytest.approx(0.3))
    assert outcome(turn(silence(2.0, 0.1, resumed_at=3.2), AT_THE_END)) == (False, pytest.approx(0.3))
    assert outcome(turn(silence(2.0, 0.1, resumed_at=3.2), AT_THE_END), replace(STOCK, max_delay=1.0))[0]


def test_delay_is_at_least_that_of_vad_and_prediction() -> None:
    assert outcome(turn(AT_THE_END), replace(STOCK, min_delay=0.1))[1] == pytest.approx(0.276)
    assert outcome(turn(AT_THE_END), replace(STOCK, min_delay=0.1, threshold=None))[1] == pytest.approx(0.256)


def test_turn_ends_after_its_transcript() -> None:
    assert outcome(turn(AT_THE_END), transcription_delay=0.7)[1] == pytest.approx(0.7)


def test_without_a_model_every_silence_waits_for_min_delay() -> None:
    alone = replace(STOCK, min_delay=0.5, threshold=None)
    assert outcome(turn(silence(2.0, 0.0, resumed_at=2.6), AT_THE_END), alone) == (True, pytest.approx(0.5))


def test_dynamic_mode_learns_from_pauses_within_a_call_and_forgets_them_after() -> None:
    dynamic = replace(STOCK, mode="dynamic")
    pausing = turn(silence(2.0, 0.1, resumed_at=3.1), replace(AT_THE_END, speech_from=3.0))
    delays = policy.simulate([pausing] * (policy.TURNS_PER_CALL + 1), dynamic).delays
    assert 0.3 < delays[0] < delays[1]
    assert delays[policy.TURNS_PER_CALL] == pytest.approx(delays[0])


def test_missed_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="missed the end"):
        outcome(turn(silence(2.0, 0.9, resumed_at=2.1)))


def results(*rows: tuple[Setting, list[bool], list[float]]) -> dict[Setting, Outcomes]:
    return {setting: Outcomes(np.arange(len(cuts)), np.array(cuts), np.array(delays)) for setting, cuts, delays in rows}


def test_choice_is_the_quickest_setting_within_the_allowed_cuts() -> None:
    slow, quick, hasty = (replace(STOCK, max_delay=delay) for delay in (2.4, 2.0, 1.9))
    table = results(
        (STOCK, [True, False], [1.0, 1.0]),
        (slow, [False, False], [0.9, 0.9]),
        (quick, [False, True], [0.5, 0.5]),
        (hasty, [True, True], [0.1, 0.1]),
        (replace(STOCK, max_delay=1.0), [False, False], [0.1, 0.1]),
    )
    assert policy.choose(table, [0, 1], max_cut_share=0.5) == quick
    assert policy.choose(table, [0, 1], max_cut_share=0.4) == slow
    assert policy.choose(table, [0], max_cut_share=1) == hasty
    assert policy.fewest_cuts(table, [0, 1], max_mean_delay=0.9) == slow


def test_halves_depend_on_the_sentences_and_the_seed_only() -> None:
    sentences = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    tuning, held_out = policy.halves(sentences, 1)
    assert len(tuning) == len(held_out) == 2
    assert tuning | held_out == {0, 1, 2, 3}
    assert policy.halves(sentences[::-1], 1) == (tuning, held_out)


def test_pareto_front_omits_beaten_points() -> None:
    assert policy.pareto_front([(0.5, 1.0), (0.2, 2.0), (0.4, 2.0), (0.2, 3.0)]) == [(0.5, 1.0), (0.2, 2.0)]


def test_intervals_enclose_the_value_and_are_reproducible() -> None:
    rng = np.random.default_rng(0)
    outcomes = Outcomes(np.repeat(np.arange(50), 2), rng.random(100) < 0.3, rng.random(100))
    summary = policy.summarize(outcomes, seed=1, resamples=200)
    assert summary == policy.summarize(outcomes, seed=1, resamples=200)
    for interval in (summary.cut_share, summary.mean_delay):
        assert interval.low < interval.value < interval.high


def test_difference_to_itself_is_zero() -> None:
    outcomes = Outcomes(np.arange(10), np.array([True, False] * 5), np.linspace(0, 1, 10))
    for interval in policy.difference(outcomes, outcomes, seed=1, resamples=50):
        assert interval == policy.Interval(0, 0, 0)
