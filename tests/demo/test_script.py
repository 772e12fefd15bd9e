"""What makes a turn of the demo good: with results that the test makes up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent_worker.preresponse.agent import ANSWER_NOTE
from agent_worker.text.messages import apology
from demo.script import SCRIPT, problems_of
from testbed.conversation import TurnResult

QUESTION, PROBLEM, FOLLOW_UP, BARGE_IN, THANKS = SCRIPT
GOOD = TurnResult(
    said=QUESTION.said,
    heard=QUESTION.said,
    word_error_rate=0.0,
    preresponse="Let me see.",
    answer="It connects your devices to the internet.",
    response_gap=0.8,
    answer_gap=2.5,
    outcome="spoken",
)


def problems(result: TurnResult, *earlier: TurnResult, preresponses: bool = True) -> list[str]:
    return problems_of(QUESTION, result, earlier, preresponses)


def test_turn_that_is_understood_and_answered_is_good() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize("outcome", ["answer_first", "silent_kind"])
def test_silence_as_intended_is_good(outcome: str) -> None:
    assert problems(replace(GOOD, preresponse=None, outcome=outcome)) == []


def test_turn_without_preresponses_is_good_without_one() -> None:
    assert problems(replace(GOOD, preresponse=None, outcome=None), preresponses=False) == []


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (replace(GOOD, heard="What does an inert root do?", word_error_rate=0.5), "understood as 'What does an inert"),
        (replace(GOOD, heard="", word_error_rate=1.0), "not understood at all"),
        (replace(GOOD, preresponse="I'm so sorry about that."), "does not fit"),
        (replace(GOOD, preresponse=None, outcome="failed"), "no pre-response (failed)"),
        (replace(GOOD, answer="", response_gap=None), "no answer was heard"),
        (replace(GOOD, answer=f"It is a network. {apology('en')}"), "apologised"),
        (replace(GOOD, answer=f"It is a network. {ANSWER_NOTE}"), "repeats the note"),
        (replace(GOOD, answer="I'm sorry for your loss. Enjoy my favourite drink!"), "beside the point"),
    ],
)
def test_turn_that_is_not_good_says_why(result: TurnResult, problem: str) -> None:
    (found,) = problems(result)
    assert problem in found


def test_sentence_of_an_earlier_answer_is_not_good() -> None:
    long = replace(GOOD, answer="It connects the internet to your home.")
    assert problems(replace(long, answer=f"Yes. {long.answer}"), long) == [
        "the answer repeats a sentence of an earlier one"
    ]
    assert problems(replace(GOOD, answer="It connects the internet to your phone."), long) == []


def test_phrase_for_a_possible_problem_fits() -> None:
    assert (
        problems_of(PROBLEM, replace(GOOD, preresponse="Mm, I hear you.", answer="Restart the router."), (), True) == []
    )


def test_five_turns_of_which_one_is_spoken_over_the_reply_before_it() -> None:
    assert [turn.purpose for turn in SCRIPT if turn.over_reply_after is not None] == ["barge-in"]
    assert len(SCRIPT) == 5


def test_help_of_somebody_else_is_not_about_the_call() -> None:
    answer = "You should contact the customer service of the restaurant where you are trying to cook."
    (problem,) = problems_of(BARGE_IN, replace(GOOD, answer=answer), (), True)
    assert "beside the point" in problem
