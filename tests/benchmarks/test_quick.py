"""The verdict of the quick benchmark, and the callers who hesitate."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.latency.results import Results
from benchmarks.quick.hesitating import words_of
from benchmarks.quick.verdict import SYSTEMS, Line, lines


def results(gap: float, cut: int = 0, stock_gap: float = 1.6) -> Results:
    gaps = dict.fromkeys(SYSTEMS, gap) | {"stock": stock_gap}
    turns: list[dict[str, Any]] = []
    for system, value in gaps.items():
        turns += [{"profile": "cloud", "system": system, "response_gap": value, "answer_gap": value}] * 10
        person = {"first_sound": value, "cut_pauses": cut, "pauses": 2}
        turns += [{"profile": "people", "system": system, "person": person}] * 10
    return Results(turns=turns)


def verdicts(measured: Results, published: Results, hesitating: Results | None = None) -> dict[tuple[str, str], str]:
    found: list[Line] = list(lines(measured, published, hesitating, with_people=False))
    return {(line.what, line.system): line.verdict for line in found}


@pytest.mark.parametrize(("gap", "verdict"), [(0.8, "in the range"), (1.5, "same order"), (1.7, "NOT confirmed")])
def test_gap_is_of_the_same_order_up_to_a_factor_of_two(gap: float, verdict: str) -> None:
    assert verdicts(results(gap), results(0.8))["first sound", "agent-worker/phrase"] == verdict


def test_nothing_heard_confirms_nothing() -> None:
    assert verdicts(Results(), results(0.8))["answer", "stock"] == "NOT confirmed"


def test_ratio_is_not_confirmed_if_stock_is_as_fast() -> None:
    key = ("first sound over stock's", "agent-worker/phrase")
    assert verdicts(results(0.8), results(0.8))[key] == "same order"
    assert verdicts(results(0.8, stock_gap=0.7), results(0.8))[key] == "NOT confirmed"


def test_cut_offs_are_compared_by_their_confidence_intervals() -> None:
    key = ("pauses taken for the end, hesitating callers", "stock")
    assert verdicts(results(0.8, cut=1), results(0.8))[key] == "-"
    assert verdicts(results(0.8, cut=1), results(0.8), results(0.8, cut=1))[key] == "in the range"
    assert verdicts(results(0.8, cut=2), results(0.8), results(0.8, cut=0))[key] == "NOT confirmed"


def test_words_of_a_hesitating_caller_lie_in_the_time_of_their_part() -> None:
    words = words_of(["Can you, um,", "help me?"], [(2.0, 3.0)], 4.0)
    assert [word.text for word in words] == ["Can", "you,", "um,", "help", "me?"]
    assert words[0].start == pytest.approx(0.5)
    assert words[2].end == pytest.approx(2.0)
    assert words[3].start == pytest.approx(3.0)
    assert words[4].end == pytest.approx(4.0)
