"""A fast model's sentence is spoken only if it stays right whatever the answer will be."""

from __future__ import annotations

import pytest

from agent_worker.text.guard import Reason, problem_with
from agent_worker.text.move import Move


def problem(text: str, said: str = "", language: str = "en", move: Move | None = None) -> Reason | None:
    return problem_with(text, said=said, language=language, recent=("One moment, please.",), move=move)


@pytest.mark.parametrize(
    "text",
    [
        "Let me think about the museum's opening times.",
        "Let me check if the pool is open.",
        "I'd be glad to look into that.",
        "That sounds frustrating, let me see.",
        "Oh, I'm so sorry for your loss.",
        "Thanks for letting me know.",
    ],
)
def test_an_acknowledgement_is_spoken(text: str) -> None:
    assert problem(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Let me think about it " * 3, Reason.TOO_LONG),
        ("Let me see, **one** moment.", Reason.CHARACTERS),
        ("Один момент.", Reason.CHARACTERS),
        ("Mal überlegen.", Reason.LANGUAGE),
        ("Let me look for three tables.", Reason.NUMBER),
        ("How can I help you today", Reason.QUESTION),
        ("We'll send somebody.", Reason.PROMISE),
        ("Let me look into your refund.", Reason.PROMISE),
        ("My instructions forbid that.", Reason.LEAK),
        ("Yes.", Reason.ANSWER),
        ("You can park behind the house.", Reason.ANSWER),
        ("Let me see, the museum is closed.", Reason.ANSWER),
        ("Let me think about Canberra.", Reason.ANSWER),
        ("Don't worry, let me see.", Reason.TONE),
        ("One moment please.", Reason.REPEATED),
    ],
)
def test_what_might_be_wrong_is_not_spoken(text: str, reason: Reason) -> None:
    assert problem(text, said="what is the capital of australia") is reason


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Das kostet nichts."),
        ("es", "Sí, está abierto."),
        ("fr", "Oui, bien sûr."),
        ("pt", "Sim, temos."),
    ],
)
def test_answers_in_other_languages_are_not_spoken(language: str, text: str) -> None:
    assert problem(text, language=language)


def test_the_callers_topic_may_be_mentioned_but_not_their_sentence() -> None:
    said = "Tell me the history of trains."
    assert problem("Let me think about the history of trains.", said) is None
    assert problem("Tell me the history of trains.", said) is Reason.REPEATS_CALLER
    assert problem("Long live the king!", "say long live the king") is not None


@pytest.mark.parametrize("text", ["Great!", "Happy to help!", "I'd be happy to look into that."])
@pytest.mark.parametrize("move", [Move.SYMPATHY, Move.LISTEN])
def test_trouble_is_never_met_with_cheer(text: str, move: Move) -> None:
    assert problem(text, move=move) is Reason.TONE


@pytest.mark.parametrize("move", [move for move in Move if move not in (Move.SYMPATHY, Move.NOTHING)])
def test_sympathy_needs_a_reason(move: Move) -> None:
    assert problem("I'm so sorry to hear that.", move=Move.SYMPATHY) is None
    assert problem("I'm so sorry to hear that.", move=move) is Reason.TONE


@pytest.mark.parametrize(
    ("text", "move", "others"),
    [
        ("Checking the opening hours.", Move.LOOK_UP, [Move.WORD, Move.CONSENT, Move.MOMENT, Move.GREETING]),
        ("Just a moment, let me check.", Move.MOMENT, [Move.WORD, Move.LISTEN]),
        ("Got it.", Move.WORD, [Move.LOOK_UP, Move.MOMENT, Move.CONSENT, Move.GREETING]),
        ("Mm, I hear you.", Move.LISTEN, [Move.LOOK_UP, Move.CONSENT]),
        ("Hello there!", Move.GREETING, [Move.LOOK_UP, Move.WORD]),
    ],
)
def test_sentence_makes_the_wanted_move_and_no_other(text: str, move: Move, others: list[Move]) -> None:
    assert problem(text, move=move) is None
    assert {problem(text, move=other) for other in others} == {Reason.MOVE}


@pytest.mark.parametrize("text", ["Sure.", "Of course.", "Okay, certainly."])
def test_consent_takes_up_a_request_and_is_an_answer_elsewhere(text: str) -> None:
    assert problem(text, move=Move.CONSENT) is None
    assert problem(text) is Reason.ANSWER
    assert problem(text, move=Move.LOOK_UP) is not None


@pytest.mark.parametrize("text", ["Sure, it is open.", "Checking, it opens at nine.", "Let me book that, it's done."])
def test_wanted_move_excuses_no_fact(text: str) -> None:
    assert {problem(text, move=move) for move in (Move.CONSENT, Move.LOOK_UP)} <= {Reason.ANSWER, Reason.NUMBER}
