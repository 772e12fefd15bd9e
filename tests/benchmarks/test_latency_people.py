"""Recordings of people as callers of the latency benchmark: what they say, and how the agent's sounds are judged."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.cli import DOCS, ReportFiles
from benchmarks.latency.people import PersonTurn, judge, script_of, speech_of
from benchmarks.latency.people_summary import Share, people_section, summarize_people
from benchmarks.latency.report import markdown
from benchmarks.latency.results import Results
from benchmarks.latency.summary import DEFAULT_SYSTEM
from benchmarks.turn_taking.recordings import SAMPLE_RATE
from caller import Segment
from model_server.backends import Word

TURN = PersonTurn("person.wav", "clip.wav", start=0.3, end=6.0, pauses=[(2.0, 3.0), (4.0, 4.5)], script={})
REPLY = Segment(6.5, 9.0)


def test_agent_that_waits_for_the_end_cuts_nothing() -> None:
    judged = judge([Segment(-2.0, 0.1), REPLY], TURN)
    assert judged.first_sound == pytest.approx(0.5)
    assert (judged.cut_off, judged.cut_pauses, judged.pauses, judged.talked_over_s) == (False, 0, 2, 0.0)
    assert not judged.is_harmful


@pytest.mark.parametrize(
    ("begin", "cut_pauses"),
    [
        (2.4, 1),  # in the first pause
        (3.2, 1),  # just after it: its silence was taken for the end
        (4.6, 1),  # after the second
        (1.0, 0),  # in no labelled pause, and a cut-off nevertheless
    ],
)
def test_words_before_the_end_are_a_cut_off(begin: float, cut_pauses: int) -> None:
    judged = judge([Segment(begin, begin + 0.3), REPLY], TURN)
    assert judged.cut_off
    assert judged.cut_pauses == cut_pauses
    assert judged.first_sound == pytest.approx(0.5)
    assert judged.is_harmful


def test_answer_is_judged_apart_from_what_is_said_before_it() -> None:
    answer = Segment(7.0, 9.0)
    judged = judge([Segment(2.4, 2.7), Segment(6.5, 6.8), answer], TURN, [answer])
    assert (judged.first_sound, judged.answer) == (pytest.approx(0.5), pytest.approx(1.0))
    assert (judged.cut_off, judged.answer_cut_off) == (True, False)


def test_answer_before_the_end_is_a_cut_off_by_the_answer() -> None:
    early = Segment(2.4, 2.9)
    judged = judge([early, REPLY], TURN, [early, REPLY])
    assert judged.answer_cut_off
    assert judged.answer == pytest.approx(0.5)


def test_each_cut_pause_counts() -> None:
    assert judge([Segment(2.4, 2.6), Segment(4.2, 4.4), REPLY], TURN).cut_pauses == 2


def test_agent_that_speaks_at_the_end_has_no_first_sound_after_it() -> None:
    judged = judge([Segment(4.2, 7.0)], TURN)
    assert judged.first_sound is None
    assert judged.talked_over_s == pytest.approx(1.5)  # without the rest of the pause


def test_speech_lies_between_the_pauses() -> None:
    assert speech_of(TURN) == [(0.3, 2.0), (3.0, 4.0), (4.5, 6.0)]


def test_word_that_is_said_to_lie_in_a_pause_or_behind_the_end_belongs_to_the_speech_before_it() -> None:
    words = [
        Word("I", 0.3, 0.5, 1),
        Word("mean", 1.9, 2.5, 1),
        Word("tomorrow.", 3.2, 3.6, 1),
        Word("Bye.", 6.1, 6.6, 1),
    ]
    script = script_of(words, TURN.pauses, TURN.end, np.zeros(8 * SAMPLE_RATE, np.int16))
    middles = {found["text"]: (found["start"] + found["end"]) / 2 for found in script["words"]}
    assert middles["I"] == pytest.approx(0.4)
    assert 1.9 < middles["mean"] < 2.0
    assert middles["tomorrow."] == pytest.approx(3.4)
    assert 5.9 < middles["Bye."] < 6.0
    assert script["seconds"] == 8.0


def row(system: str, *sounds: Segment, **more: Any) -> dict[str, Any]:
    judged = judge(sounds, TURN)
    return {"profile": "people", "system": system, "said": "person.wav", "round": 0, "person": asdict(judged), **more}


def test_summary_counts_turns_and_pauses_and_compares_with_stock() -> None:
    ours = [row(DEFAULT_SYSTEM, REPLY), row(DEFAULT_SYSTEM, Segment(2.4, 2.9), REPLY)]
    stock = [row("stock", Segment(2.4, 4.0), Segment(8.0, 9.0)), row("stock", Segment(4.2, 4.4), Segment(8.0, 9.0))]
    mine, theirs = summarize_people([*stock, *ours])
    assert (mine.system, theirs.system) == (DEFAULT_SYSTEM, "stock")
    assert (mine.cut_turns.count, mine.cut_turns.of) == (1, 2)
    assert (mine.cut_pauses.count, mine.cut_pauses.of) == (1, 4)
    assert (theirs.cut_turns.count, theirs.talked_over.count) == (2, 1)
    assert theirs.late.count == 2
    page = people_section([*ours, *stock])
    first = f"| **{DEFAULT_SYSTEM}** | 2 | 500 [500, 500] | 500 | 0% | 50% [9%, 91%]"
    assert f"{first} | - | - | 0% [0%, 66%] | 25% [5%, 70%] | 0% | 0 |" in page
    assert f"{DEFAULT_SYSTEM} over stock: first sound p50 0.25, p95 0.25, turns cut off 0.50, pauses cut 0.50" in page


def test_failed_turn_is_neither_cut_nor_answered() -> None:
    failed = {"profile": "people", "system": "stock", "said": "person.wav", "round": 0, "failure": "no turn"}
    (summary,) = summarize_people([failed])
    assert (summary.turns, summary.unanswered, summary.cut_turns.of, summary.first_sound) == (1, 1, 0, None)
    assert "| stock | 1 | - | - | - | - | - | - | - | - | - | 1 |" in people_section([failed])


def test_interval_of_a_share_is_wilson_s() -> None:
    low, high = Share(1, 2).interval
    assert (low, high) == pytest.approx((0.095, 0.905), abs=0.001)
    assert Share(0, 30).interval[1] == pytest.approx(0.114, abs=0.001)


def test_report_has_a_table_of_people_apart_from_the_other_callers() -> None:
    page = markdown(Results(turns=[row("stock", REPLY)]), ReportFiles.at(DOCS, "latency"))
    assert page.count("| stock |") == 2  # and in the first table
    assert "## people" in page
