"""Intent classification, and silence where no pre-response is due."""

from __future__ import annotations

import pytest

from agent_worker.preresponse.phrases import built_in_languages
from agent_worker.text.intent import FALLBACK, Intent
from agent_worker.text.intent_classifier import classify
from agent_worker.text.intent_rules import shorten
from agent_worker.text.word_classes import word_classes
from benchmarks.appropriateness.turns import read

ASKED = "Shall I put you down for Monday?"
TOLD = "The parcel left our warehouse on Monday."


@pytest.mark.parametrize(
    ("said", "after_question", "after_statement"),
    [
        ("okay", Intent.YES_NO, Intent.BACKCHANNEL),
        ("uh huh", Intent.YES_NO, Intent.BACKCHANNEL),
        ("no", Intent.YES_NO, FALLBACK),
        ("yes please", Intent.YES_NO, Intent.YES_NO),
    ],
)
def test_the_agents_last_words_decide_what_a_single_word_means(
    said: str, after_question: Intent, after_statement: Intent
) -> None:
    assert classify(said, "en", ASKED).intent is after_question
    assert classify(said, "en", TOLD).intent is after_statement


@pytest.mark.parametrize(
    "said",
    ["hang on a minute", "bye for now", "my account number is", "it was, um", "[laughs]", "daddy's on the phone"],
)
def test_silent_intents(said: str) -> None:
    assert classify(said, "en", ASKED).suppresses_preresponse


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("i was wondering if the pool is heated", Intent.QUESTION),
        ("could you book me a taxi for seven", Intent.REQUEST),
        ("can you cancel it my grandfather passed away", Intent.PROBLEM),
        ("no i said the green one", Intent.CORRECTION),
        ("thank you that was kind", Intent.THANKS),
        ("we spent the summer by the lake and the children learned to swim", Intent.STORY),
        ("who shot abraham lincoln", Intent.QUESTION),
    ],
)
def test_feeling_wins_over_form_and_sentence_over_single_word(said: str, intent: Intent) -> None:
    assert classify(said, "en", TOLD).intent is intent


@pytest.mark.parametrize(
    ("language", "question", "grief"),
    [
        ("de", "wann fährt der letzte zug", "meine oma ist gestern gestorben"),
        ("es", "a qué hora cierra la tienda", "ayer falleció mi abuela"),
        ("fr", "où se trouve la gare", "ma grand-mère est décédée hier"),
        ("pt", "quanto custa o bilhete", "minha mãe faleceu ontem"),
    ],
)
def test_other_languages_know_questions_and_grief(language: str, question: str, grief: str) -> None:
    assert classify(question, language).intent is Intent.QUESTION
    assert classify(grief, f"{language}-XX").intent is Intent.PROBLEM


@pytest.mark.parametrize("said", ["my grandmother died last night", "he is not breathing", "I want to kill myself"])
def test_grief_and_danger_in_plain_words_leave_no_doubt(said: str) -> None:
    assert (classify(said).intent, classify(said).alternatives) == (Intent.PROBLEM, ())


def test_alternatives_exclude_silent_intents_and_the_chosen_one() -> None:
    judged = [classify(row.caller, row.language, row.agent) for row in read("validation")]
    doubtful = [classified for classified in judged if classified.alternatives]
    assert 0 < len(doubtful) < len(judged) / 5
    for classified in doubtful:
        assert not classified.suppresses_preresponse
        assert not any(
            intent.suppresses_preresponse or intent is classified.intent for intent in classified.alternatives
        )


def test_silence_and_one_or_two_words_have_no_alternatives() -> None:
    for said in ("okay", "yes please", "hang on a minute", "my account number is"):
        assert classify(said, "en", ASKED).alternatives == ()


def test_language_without_rules_gets_the_neutral_intent() -> None:
    assert classify("jak się masz", "pl").intent is FALLBACK


@pytest.mark.parametrize("said", ["", "?!", "'", "a" * 10_000, "how " * 2_500, "(" * 10_000, "\x00\ud800 über"])
def test_any_text_is_classified_and_the_rules_see_a_bounded_part_of_it(said: str) -> None:
    assert classify(said, "en", said).intent in Intent
    assert len(shorten(said)) <= 501


def test_the_middle_of_a_long_text_is_left_out() -> None:
    beginning, end = "so i called you ".ljust(250, "a"), " what can i do".rjust(250, "z")
    assert shorten(beginning + "word " * 1_000 + end) == shorten(beginning + "other " * 2_000 + end)


@pytest.mark.parametrize("folder", ["intents", "guard"])
def test_every_word_class_of_a_language_is_used(folder: str) -> None:
    for language in built_in_languages():
        assert word_classes(folder, language).keys() <= word_classes(folder, "en").keys()


@pytest.mark.parametrize(
    "words", ["My parcel is still not here.", "The light in the hall is broken.", "I need a new card."]
)
def test_caller_who_speaks_to_the_agent_is_answered_whatever_the_agent_said_before(words: str) -> None:
    said = [
        "Your answer is here. The answer is simple.",
        "It opens at nine.",
        "Goodbye!",
        "Yes.",
        "One moment, please.",
    ]
    assert not [context for context in said if classify(words, "en", context).suppresses_preresponse]
