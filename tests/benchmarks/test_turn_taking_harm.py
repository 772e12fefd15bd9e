"""The benchmark of turn-taking: which cut pauses do harm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the dependency group benchmarks")

from benchmarks.turn_taking.evaluate import Outcomes, bootstrap, configured, fused_curve, least_pause_s, measured
from benchmarks.turn_taking.harm import OURS, STOCK, compare, first_sounds, harm, harmful_share_at
from tests.benchmarks.test_turn_taking import MOMENTS, moment

QUICK_STOCK = replace(STOCK, first_words_s=0.15, answer_s=0.15)


def pause(delay: float, lasts: float) -> Outcomes:
    """Return a decision in a pause."""
    return Outcomes(np.array([[delay]]), np.array([False]), np.array([lasts]), np.array(["a"]))


@pytest.mark.parametrize(("delay", "lasts"), [(0.5, 0.5), (0.9, 0.6)])
def test_a_pause_that_is_not_cut_takes_no_harm(delay: float, lasts: float) -> None:
    found = harm(pause(delay, lasts), OURS)
    assert not found.cut.any()
    assert not found.harmful.any()


@pytest.mark.parametrize("first_words_s", [0.1, 0.2])
def test_a_cut_is_harmless_if_the_caller_goes_on_before_the_first_word(first_words_s: float) -> None:
    found = harm(pause(0.5, 0.59), replace(OURS, first_words_s=first_words_s))
    assert found.cut.all()
    assert not found.harmful.any()


@pytest.mark.parametrize(("delay", "lasts"), [(0.3, 0.5), (0.5, 2.0)])
def test_words_that_are_heard_in_a_pause_do_harm(delay: float, lasts: float) -> None:
    found = harm(pause(delay, lasts), OURS)
    assert found.heard.all()
    assert found.harmful.all()


def test_an_agent_that_stops_late_talks_over_the_caller() -> None:
    begun_with_the_caller = pause(0.5, 0.6)
    assert not harm(begun_with_the_caller, OURS).talked_over.any()
    assert harm(begun_with_the_caller, replace(OURS, stop_s=0.5)).talked_over.all()


def test_an_agent_does_not_begin_once_the_caller_is_heard() -> None:
    assert not harm(pause(0.5, 0.51), replace(OURS, first_words_s=0.3, stop_s=5.0)).harmful.any()


@pytest.mark.parametrize(("lasts", "is_joined"), [(1.0, True), (2.4, True), (2.6, False)])
def test_a_turn_is_in_pieces_if_more_of_the_answer_was_heard_than_is_taken_back(lasts: float, is_joined: bool) -> None:
    assert harm(pause(0.5, lasts), OURS).in_pieces.all() == (not is_joined)


def test_stock_joins_nothing_that_is_heard() -> None:
    assert harm(pause(0.5, 0.7), QUICK_STOCK).in_pieces.all()
    assert not harm(pause(0.5, 1.4), STOCK).harmful.any()
    assert harm(pause(0.5, 1.7), STOCK).in_pieces.all()


def curve() -> Outcomes:
    """Return three settings of an end and two pauses, of two speakers."""
    delays = np.array([[0.3, 0.3, 0.3], [0.9, 0.9, 0.9], [1.6, 1.6, 1.6]])
    return Outcomes(delays, np.array([True, False, False]), np.array([np.inf, 0.5, 1.2]), np.array(["a", "a", "b"]))


def test_harmful_cuts_are_read_at_the_delay_of_the_first_sound() -> None:
    assert first_sounds(curve(), OURS).tolist() == pytest.approx([0.45, 1.05, 1.75])
    assert harmful_share_at(curve(), OURS, 0.45) == 1.0
    assert harmful_share_at(curve(), OURS, 1.05) == 0.5
    assert harmful_share_at(curve(), OURS, 1.4) == pytest.approx(0.25)
    assert harmful_share_at(curve(), OURS, 9.0) == 0.0


def test_policies_are_compared_at_the_same_first_sound() -> None:
    other = curve()
    stock = Outcomes(np.array([[0.9, 0.3, 0.3]]), other.is_end, other.duration, other.speakers)
    found = compare(curve(), OURS, stock, QUICK_STOCK, seed=1)
    assert found.first_sound_s == pytest.approx(1.05)
    assert (found.ours.value, found.theirs.value, found.ratio.value) == (0.5, 1.0, 0.5)


def test_intervals_are_of_speakers() -> None:
    found = measured([0.0, 0.0, 0.0, 1.0], ["a", "a", "a", "b"], lambda values: float(values.mean()), seed=1)
    assert (found.value, found.low, found.high) == (0.25, 0.0, 1.0)
    same = bootstrap([curve()], lambda some: float(some[0].cut_shares()[0]), seed=1)
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)


def test_our_policy_waits_longer_where_the_words_demand_it() -> None:
    usual, opening = moment(1, is_end=False), replace(moment(1, is_end=False), text="I would like to order")
    assert (least_pause_s(usual), least_pause_s(opening)) == (0.0, 2.5)


def test_our_policy_is_bounded_by_its_longest_wait() -> None:
    class OneFit:
        def without(self, _: str, names: tuple[str, ...]) -> object:
            from training.end_of_turn import fit

            return fit(MOMENTS, names)

    found = fused_curve(MOMENTS, OneFit())  # type: ignore[arg-type]
    assert found.delays.max() == pytest.approx(1.8)
    assert configured(found).delays.shape == (1, len(MOMENTS))
