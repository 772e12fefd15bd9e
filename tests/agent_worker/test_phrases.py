"""Phrases fit their intent, none comes twice in a row, and own phrases are checked like the built-in ones."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from agent_worker.preresponse.phrases import (
    MIN_PHRASES_BETWEEN_REPEATS,
    SPOKEN_INTENTS,
    BadPhrasesError,
    PhraseBook,
    built_in_languages,
)
from agent_worker.text.guard import problem_with
from agent_worker.text.intent import Intent

LANGUAGES = built_in_languages()
NEVER_SAID = Path(__file__).parents[2] / "benchmarks" / "appropriateness" / "data" / "general-forbidden.json"


def problems_of(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadPhrasesError) as caught:
        PhraseBook.load("en", path)
    return caught.value.problems


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_built_in_phrase_is_short_and_passes_the_guard_and_the_forbidden_list(language: str) -> None:
    forbidden = [re.compile(entry["pattern"], re.IGNORECASE) for entry in json.loads(NEVER_SAID.read_text())]
    book = PhraseBook.load(language)
    for intent in SPOKEN_INTENTS:
        for phrase in book.of(intent):
            assert 1 <= len(phrase.split()) <= 6, phrase
            assert problem_with(phrase, said="", language=language, recent=(), intent=intent) is None, phrase
            assert not any(pattern.search(phrase) for pattern in forbidden), phrase


def test_english_has_enough_phrases_for_five_turns_of_a_kind_and_one_more() -> None:
    book = PhraseBook.load("en")
    assert all(len(book.of(intent)) > MIN_PHRASES_BETWEEN_REPEATS for intent in SPOKEN_INTENTS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_languages_have_several_phrases_for_each_kind(language: str) -> None:
    book = PhraseBook.load(language)
    assert all(len(book.of(intent)) >= 5 for intent in SPOKEN_INTENTS)


@pytest.mark.parametrize("seed", range(5))
def test_no_phrase_comes_again_within_five_pre_responses(seed: int) -> None:
    rng = random.Random(seed)
    book = PhraseBook.load("en", rng=rng)
    used: list[str] = []
    for _ in range(200):
        phrase = book.fresh(rng.choice(SPOKEN_INTENTS), used)[0]
        assert phrase not in used[-MIN_PHRASES_BETWEEN_REPEATS:]
        used.append(phrase)


def test_a_phrase_is_spent_however_it_was_written() -> None:
    book = PhraseBook("en", {Intent.STORY: ["I see."]})
    assert book.fresh(Intent.STORY, ["I see!"]) == []
    assert book.fresh(Intent.STORY, ["I see!", *"abcde"]) == ["I see."]


def test_what_is_said_in_doubt_fits_every_kind_in_question() -> None:
    book = PhraseBook("en", {"question": ["Hm.", "Let me see."], "request": ["Let me see.", "One moment."]})
    assert book.of(Intent.QUESTION, [Intent.REQUEST]) == ("Let me see.",)


def test_a_kind_that_shares_nothing_with_the_likelier_ones_is_left_out() -> None:
    book = PhraseBook(
        "en", {"question": ["Hm.", "Let me see."], "request": ["Let me see."], "thanks": ["My pleasure."]}
    )
    assert book.of(Intent.QUESTION, [Intent.THANKS, Intent.REQUEST]) == ("Let me see.",)


def test_phrases_of_the_likeliest_kind_have_to_do_when_those_in_doubt_are_spent() -> None:
    book = PhraseBook("en", {"question": ["Hm.", "Let me see."], "request": ["Let me see."]})
    assert book.fresh(Intent.QUESTION, ["Let me see."], [Intent.REQUEST]) == ["Hm."]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_problem_that_is_only_possible_is_met_without_an_apology_and_a_certain_one_with_it(language: str) -> None:
    book = PhraseBook.load(language)
    for intent in (Intent.QUESTION, Intent.REQUEST, Intent.STORY, Intent.CORRECTION, Intent.YES_NO):
        for phrases in (book.of(intent, [Intent.PROBLEM]), book.of(Intent.PROBLEM, [intent])):
            assert phrases
            assert set(phrases) <= set(book.of(intent))
            assert not set(phrases) & set(book.of(Intent.PROBLEM))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("narrow", "wide"), [(Intent.REQUEST, Intent.QUESTION), (Intent.YES_NO, Intent.CORRECTION)])
def test_kinds_that_are_easily_confused_have_phrases_that_are_right_for_both(
    language: str, narrow: Intent, wide: Intent
) -> None:
    book = PhraseBook.load(language)
    assert set(book.of(narrow)) <= set(book.of(wide))


@pytest.mark.parametrize(
    ("intent", "other"),
    [
        (Intent.STORY, Intent.CORRECTION),
        (Intent.STORY, Intent.YES_NO),
        (Intent.REQUEST, Intent.YES_NO),
        (Intent.REQUEST, Intent.UNCLEAR),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_neighbouring_kinds_share_a_phrase(language: str, intent: Intent, other: Intent) -> None:
    book = PhraseBook.load(language)
    assert set(book.of(intent, [other])) <= set(book.of(intent)) & set(book.of(other))


def test_user_phrases_for_a_possible_problem_need_no_apology_and_are_synthesised(tmp_path: Path) -> None:
    path = tmp_path / "phrases.yaml"
    path.write_text("perhaps_problem: [I hear you.]\nstory: [I hear you., I see.]", encoding="utf-8")
    book = PhraseBook.load("en", path)
    assert book.of(Intent.STORY, [Intent.PROBLEM]) == ("I hear you.",)
    assert "I hear you." in book.all()


def test_the_same_seed_picks_the_same_phrases() -> None:
    def picked(seed: int) -> list[list[str]]:
        book = PhraseBook.load("en", rng=random.Random(seed))
        return [book.fresh(intent) for intent in SPOKEN_INTENTS * 5]

    assert picked(3) == picked(3)
    assert picked(3) != picked(4)


@pytest.mark.parametrize("intent", [intent for intent in Intent if intent.suppresses_preresponse])
def test_nothing_is_said_where_silence_is_due(intent: Intent) -> None:
    assert PhraseBook.load("en").fresh(intent) == []


def test_a_language_of_a_country_has_the_phrases_of_the_language() -> None:
    assert PhraseBook.load("en-US").all() == PhraseBook.load("en").all()
    assert PhraseBook.load("en-US").has_phrases


def test_language_without_phrases_is_logged_and_has_none(caplog: pytest.LogCaptureFixture) -> None:
    book = PhraseBook.load("xx")
    assert not book.has_phrases
    assert book.all() == []
    assert book.fresh(Intent.QUESTION) == []
    assert "xx" in caplog.text


def test_all_phrases_are_listed_once_for_synthesis() -> None:
    book = PhraseBook.load("en")
    assert len(book.all()) == len(set(book.all()))
    assert {phrase for intent in SPOKEN_INTENTS for phrase in book.of(intent)} == set(book.all())


@pytest.mark.parametrize("text", ["story:\n  - Ah, okay.\n", '{"story": ["Ah, okay."]}'])
def test_user_phrases_in_yaml_or_json_replace_whole_intents(tmp_path: Path, text: str) -> None:
    path = tmp_path / "phrases"
    path.write_text(text, encoding="utf-8")
    book = PhraseBook.load("en", path)
    assert book.of(Intent.STORY) == ("Ah, okay.",)
    assert book.of(Intent.REQUEST) == PhraseBook.load("en").of(Intent.REQUEST)


def test_every_problem_of_a_user_file_is_listed_at_once(tmp_path: Path) -> None:
    problems = problems_of(
        tmp_path / "phrases.yaml",
        """
        question: ["How can I help you?", "Let me see.", "Let me see!"]
        request: [We will do that., Give me 5 minutes.]
        story: [Okay and well then I see what you have been telling me there.]
        problem: [Great!]
        yes_no: [Yes]
        thanks: You're welcome.
        goodbye: [Bye.]
        shouting: [Hm.]
        """,
    )
    assert len(problems) == 10
    assert {problem.split(": ")[1] for problem in problems} == {
        *("question", "request", "story", "problem", "yes_no", "thanks", "goodbye", "shouting")
    }
    assert any("question" in problem and "asks" in problem for problem in problems)
    assert any("twice" in problem for problem in problems)
    assert any("not text" in problem for problem in problems)
    assert any("too long" in problem for problem in problems)


@pytest.mark.parametrize("text", ["", "- Let me see.", "just words", "question: [", "{", "question: []"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path / "phrases.yaml", text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPhrasesError) as caught:
        PhraseBook.load("en", tmp_path / "none.yaml")
    assert caught.value.problems == [f"{tmp_path / 'none.yaml'}: cannot be read: FileNotFoundError"]
