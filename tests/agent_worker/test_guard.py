"""A fast model's sentence is spoken only if it stays right whatever the answer will be."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agent_worker.preresponse.phrases import SPOKEN_INTENTS, PhraseBook, built_in_languages
from agent_worker.text.guard import Reason, problem_with
from agent_worker.text.intent import Intent


def problem(
    text: str, said: str = "", language: str = "en", intent: Intent | None = None, alternatives: Sequence[Intent] = ()
) -> Reason | None:
    return problem_with(
        text, said=said, language=language, recent=("One moment, please.",), intent=intent, alternatives=alternatives
    )


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
def test_trouble_is_never_met_with_cheer(text: str) -> None:
    assert problem(text, intent=Intent.PROBLEM) is Reason.TONE


def test_sympathy_needs_a_reason() -> None:
    assert problem("I'm so sorry to hear that.", intent=Intent.PROBLEM) is None
    assert problem("I'm so sorry to hear that.", intent=Intent.GREETING) is Reason.TONE


def test_a_possible_problem_needs_no_apology_and_allows_one_and_is_never_met_with_cheer() -> None:
    for intent, other in ((Intent.STORY, Intent.PROBLEM), (Intent.PROBLEM, Intent.STORY)):
        assert problem("I hear you.", intent=intent, alternatives=[other]) is None
        assert problem("I'm so sorry to hear that.", intent=intent, alternatives=[other]) is None
        assert problem("Great!", intent=intent, alternatives=[other]) is Reason.TONE


@pytest.mark.parametrize("language", built_in_languages())
def test_every_phrase_that_comes_with_the_package_may_be_spoken(language: str) -> None:
    book = PhraseBook.load(language)
    for intent in SPOKEN_INTENTS:
        used: list[str] = []
        while len(used) < 5 and (phrases := book.fresh(intent, used)):
            assert problem_with(phrases[0], said="", language=language, recent=(), intent=intent) is None
            used.append(phrases[0])
