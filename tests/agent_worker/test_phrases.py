"""Phrases fit their kind, none comes twice in a row, and own phrases are checked like the built-in ones."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from agent_worker.guard import problem_with
from agent_worker.phrases import KEPT_FRESH, SPOKEN_KINDS, BadPhrasesError, PhraseBook, built_in_languages
from agent_worker.utterance import Kind

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
    for kind in SPOKEN_KINDS:
        for phrase in book.of(kind):
            assert 1 <= len(phrase.split()) <= 6, phrase
            assert problem_with(phrase, said="", language=language, recent=(), kind=kind) is None, phrase
            assert not any(pattern.search(phrase) for pattern in forbidden), phrase


def test_english_has_enough_phrases_for_five_turns_of_a_kind_and_one_more() -> None:
    book = PhraseBook.load("en")
    assert all(len(book.of(kind)) > KEPT_FRESH for kind in SPOKEN_KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_languages_have_several_phrases_for_each_kind(language: str) -> None:
    book = PhraseBook.load(language)
    assert all(len(book.of(kind)) >= 5 for kind in SPOKEN_KINDS)


@pytest.mark.parametrize("seed", range(5))
def test_no_phrase_comes_again_within_five_pre_responses(seed: int) -> None:
    rng = random.Random(seed)
    book = PhraseBook.load("en", rng=rng)
    used: list[str] = []
    for _ in range(200):
        phrase = book.fresh(rng.choice(SPOKEN_KINDS), used)[0]
        assert phrase not in used[-KEPT_FRESH:]
        used.append(phrase)


def test_a_phrase_is_spent_however_it_was_written() -> None:
    book = PhraseBook("en", {Kind.STORY: ["I see."]})
    assert book.fresh(Kind.STORY, ["I see!"]) == []
    assert book.fresh(Kind.STORY, ["I see!", *"abcde"]) == ["I see."]


def test_what_is_said_in_doubt_fits_every_kind_in_question() -> None:
    book = PhraseBook("en", {"question": ["Hm.", "Let me see."], "request": ["Let me see.", "One moment."]})
    assert book.of(Kind.QUESTION, [Kind.REQUEST]) == ("Let me see.",)


def test_a_kind_that_shares_nothing_with_the_likelier_ones_is_left_out() -> None:
    book = PhraseBook(
        "en", {"question": ["Hm.", "Let me see."], "request": ["Let me see."], "thanks": ["My pleasure."]}
    )
    assert book.of(Kind.QUESTION, [Kind.THANKS, Kind.REQUEST]) == ("Let me see.",)


def test_phrases_of_the_likeliest_kind_have_to_do_when_those_in_doubt_are_spent() -> None:
    book = PhraseBook("en", {"question": ["Hm.", "Let me see."], "request": ["Let me see."]})
    assert book.fresh(Kind.QUESTION, ["Let me see."], [Kind.REQUEST]) == ["Hm."]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_problem_that_is_only_possible_is_met_without_an_apology_and_a_certain_one_with_it(language: str) -> None:
    book = PhraseBook.load(language)
    for kind in (Kind.QUESTION, Kind.REQUEST, Kind.STORY, Kind.CORRECTION, Kind.YES_NO):
        for phrases in (book.of(kind, [Kind.PROBLEM]), book.of(Kind.PROBLEM, [kind])):
            assert phrases
            assert set(phrases) <= set(book.of(kind))
            assert not set(phrases) & set(book.of(Kind.PROBLEM))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("narrow", "wide"), [(Kind.REQUEST, Kind.QUESTION), (Kind.YES_NO, Kind.CORRECTION)])
def test_kinds_that_are_easily_confused_have_phrases_that_are_right_for_both(
    language: str, narrow: Kind, wide: Kind
) -> None:
    book = PhraseBook.load(language)
    assert set(book.of(narrow)) <= set(book.of(wide))


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        (Kind.STORY, Kind.CORRECTION),
        (Kind.STORY, Kind.YES_NO),
        (Kind.REQUEST, Kind.YES_NO),
        (Kind.REQUEST, Kind.UNCLEAR),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_neighbouring_kinds_share_a_phrase(language: str, kind: Kind, other: Kind) -> None:
    book = PhraseBook.load(language)
    assert set(book.of(kind, [other])) <= set(book.of(kind)) & set(book.of(other))


def test_own_phrases_for_a_possible_problem_need_no_apology_and_are_synthesised(tmp_path: Path) -> None:
    path = tmp_path / "phrases.yaml"
    path.write_text("perhaps_problem: [I hear you.]\nstory: [I hear you., I see.]", encoding="utf-8")
    book = PhraseBook.load("en", path)
    assert book.of(Kind.STORY, [Kind.PROBLEM]) == ("I hear you.",)
    assert "I hear you." in book.all()


def test_the_same_seed_picks_the_same_phrases() -> None:
    def picked(seed: int) -> list[list[str]]:
        book = PhraseBook.load("en", rng=random.Random(seed))
        return [book.fresh(kind) for kind in SPOKEN_KINDS * 5]

    assert picked(3) == picked(3)
    assert picked(3) != picked(4)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.silent])
def test_nothing_is_said_where_silence_is_due(kind: Kind) -> None:
    assert PhraseBook.load("en").fresh(kind) == []


def test_a_language_of_a_country_has_the_phrases_of_the_language() -> None:
    assert PhraseBook.load("en-US").all() == PhraseBook.load("en").all()
    assert PhraseBook.load("en-US").known


def test_a_language_without_phrases_is_told_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    book = PhraseBook.load("xx")
    assert not book.known
    assert book.all() == []
    assert book.fresh(Kind.QUESTION) == []
    assert "xx" in caplog.text


def test_all_phrases_are_listed_once_for_synthesis() -> None:
    book = PhraseBook.load("en")
    assert len(book.all()) == len(set(book.all()))
    assert {phrase for kind in SPOKEN_KINDS for phrase in book.of(kind)} == set(book.all())


@pytest.mark.parametrize("text", ["story:\n  - Ah, okay.\n", '{"story": ["Ah, okay."]}'])
def test_own_phrases_in_yaml_or_json_replace_whole_kinds(tmp_path: Path, text: str) -> None:
    path = tmp_path / "phrases"
    path.write_text(text, encoding="utf-8")
    book = PhraseBook.load("en", path)
    assert book.of(Kind.STORY) == ("Ah, okay.",)
    assert book.of(Kind.REQUEST) == PhraseBook.load("en").of(Kind.REQUEST)


def test_every_problem_of_an_own_file_is_listed_at_once(tmp_path: Path) -> None:
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
