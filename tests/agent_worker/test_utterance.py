"""What the caller said is judged by intent, and silence is kept where it is due."""

from __future__ import annotations

import time

import pytest

from agent_worker.preresponse.phrases import built_in_languages
from agent_worker.text.intent import FALLBACK, Intent, classify, word_classes
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
def test_silence_is_kept_where_nothing_is_wanted(said: str) -> None:
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
def test_feeling_wins_over_form_and_meaning_over_the_single_word(said: str, intent: Intent) -> None:
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


def test_what_else_an_utterance_may_be_is_told_without_silent_kinds_and_without_its_own() -> None:
    judged = [classify(row.caller, row.language, row.agent) for row in read("validation")]
    doubtful = [utterance for utterance in judged if utterance.alternatives]
    assert 0 < len(doubtful) < len(judged) / 5
    for utterance in doubtful:
        assert not utterance.suppresses_preresponse
        assert not any(intent.suppresses_preresponse or intent is utterance.intent for intent in utterance.alternatives)


def test_silence_and_few_words_leave_no_doubt() -> None:
    for said in ("okay", "yes please", "hang on a minute", "my account number is"):
        assert classify(said, "en", ASKED).alternatives == ()


def test_a_language_without_rules_gets_the_neutral_kind() -> None:
    assert classify("jak się masz", "pl").intent is FALLBACK


@pytest.mark.parametrize("said", ["", "?!", "'", "a" * 10_000, "how " * 2_500, "(" * 10_000, "\x00\ud800 über"])
def test_any_text_is_judged_in_no_time(said: str) -> None:
    classify(said, "en", said)
    started = time.process_time()
    for _ in range(10):
        classify(said, "en", said)
    assert (time.process_time() - started) / 10 < 0.005


@pytest.mark.parametrize("folder", ["intents", "guard"])
def test_no_language_has_a_word_class_that_nothing_uses(folder: str) -> None:
    for language in built_in_languages():
        assert word_classes(folder, language).keys() <= word_classes(folder, "en").keys()


@pytest.mark.parametrize(
    "words", ["My parcel is still not here.", "The light in the hall is broken.", "I need a new card."]
)
def test_somebody_who_speaks_to_the_agent_is_answered_whatever_it_said_before(words: str) -> None:
    said = [
        "Your answer is here. The answer is simple.",
        "It opens at nine.",
        "Goodbye!",
        "Yes.",
        "One moment, please.",
    ]
    assert not [context for context in said if classify(words, "en", context).suppresses_preresponse]
