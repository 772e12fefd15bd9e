"""Phrases make their move, none comes twice in a row, and own phrases are checked like the built-in ones."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from agent_worker.preresponse.phrases import (
    MIN_PHRASES_BETWEEN_REPEATS,
    BadPhrasesError,
    PhraseBook,
    built_in_languages,
)
from agent_worker.text.guard import problem_with
from agent_worker.text.move import SPOKEN_MOVES, Move

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
    for move in SPOKEN_MOVES:
        for phrase in book.of(move):
            assert 1 <= len(phrase.split()) <= 6, phrase
            assert problem_with(phrase, said="", language=language, recent=(), move=move) is None, phrase
            if move is not Move.CONSENT:  # "Sure." is an answer elsewhere
                assert not any(pattern.search(phrase) for pattern in forbidden), phrase


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_several_phrases_for_each_move(language: str) -> None:
    book = PhraseBook.load(language)
    assert {move: len(book.of(move)) for move in SPOKEN_MOVES if len(book.of(move)) < 2} == {}
    assert len(book.of(Move.LOOK_UP)) > MIN_PHRASES_BETWEEN_REPEATS


@pytest.mark.parametrize("seed", range(5))
def test_no_phrase_comes_again_within_five_pre_responses_or_as_many_as_its_list_allows(seed: int) -> None:
    rng = random.Random(seed)
    book = PhraseBook.load("en", rng=rng)
    used: list[str] = []
    for _ in range(200):
        move = rng.choice(SPOKEN_MOVES)
        phrase = book.fresh(move, used)[0]
        assert phrase not in used[-min(MIN_PHRASES_BETWEEN_REPEATS, len(book.of(move)) - 1) :]
        used.append(phrase)


def test_a_phrase_is_spent_however_it_was_written() -> None:
    book = PhraseBook("en", {Move.LISTEN: ["I see."]})
    assert book.fresh(Move.LISTEN, ["I see!"]) == []
    assert book.fresh(Move.LISTEN, ["I see!", "One moment."]) == ["I see."]


def test_what_is_said_in_doubt_fits_a_statement_and_a_request() -> None:
    book = PhraseBook("en", {"word": ["Got it.", "Okay."], "consent": ["Sure.", "Okay."]})
    assert book.of(Move.WORD, is_certain=False) == book.of(Move.CONSENT, is_certain=False) == ("Okay.",)
    assert book.of(Move.CONSENT) == ("Sure.",)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sympathy_is_in_no_other_list(language: str) -> None:
    book = PhraseBook.load(language)
    others = {phrase for move in SPOKEN_MOVES if move is not Move.SYMPATHY for phrase in book.of(move)}
    assert not others & set(book.of(Move.SYMPATHY))


@pytest.mark.parametrize("move", [move for move in SPOKEN_MOVES if move is not Move.SYMPATHY])
def test_a_spent_list_is_not_replaced_by_another(move: Move) -> None:
    book = PhraseBook("en", {move: ["Okay."], Move.SYMPATHY: ["I'm so sorry."]})
    assert book.fresh(move, ["Okay."]) == []


def test_the_same_seed_picks_the_same_phrases() -> None:
    def picked(seed: int) -> list[list[str]]:
        book = PhraseBook.load("en", rng=random.Random(seed))
        return [book.fresh(move) for move in SPOKEN_MOVES * 5]

    assert picked(3) == picked(3)
    assert picked(3) != picked(4)


def test_nothing_is_said_where_silence_is_wanted() -> None:
    assert PhraseBook.load("en").fresh(Move.NOTHING) == []


def test_a_language_of_a_country_has_the_phrases_of_the_language() -> None:
    assert PhraseBook.load("en-US").all() == PhraseBook.load("en").all()
    assert PhraseBook.load("en-US").has_phrases


def test_language_without_phrases_is_logged_and_has_none(caplog: pytest.LogCaptureFixture) -> None:
    book = PhraseBook.load("xx")
    assert not book.has_phrases
    assert book.all() == []
    assert book.fresh(Move.LOOK_UP) == []
    assert "xx" in caplog.text


def test_all_phrases_are_listed_once_for_synthesis() -> None:
    book = PhraseBook.load("en")
    assert len(book.all()) == len(set(book.all()))
    assert {phrase for move in SPOKEN_MOVES for phrase in book.of(move)} == set(book.all())


@pytest.mark.parametrize("text", ["word:\n  - Ah, okay.\n", '{"word": ["Ah, okay."]}'])
def test_user_phrases_in_yaml_or_json_replace_whole_moves(tmp_path: Path, text: str) -> None:
    path = tmp_path / "phrases"
    path.write_text(text, encoding="utf-8")
    book = PhraseBook.load("en", path)
    assert book.of(Move.WORD) == ("Ah, okay.",)
    assert book.of(Move.LOOK_UP) == PhraseBook.load("en").of(Move.LOOK_UP)


def test_every_problem_of_a_user_file_is_listed_at_once(tmp_path: Path) -> None:
    problems = problems_of(
        tmp_path / "phrases.yaml",
        """
        look_up: ["How can I help you?", "Let me see.", "Let me see!"]
        moment: [We will do that., Give me 5 minutes.]
        listen: [Okay and well then I see what you have been telling me there.]
        sympathy: [Great!]
        word: [Yes]
        consent: [Let me see.]
        welcome: You're welcome.
        goodbye: [Bye.]
        shouting: [Hm.]
        """,
    )
    assert len(problems) == 11
    assert {problem.split(": ")[1] for problem in problems} == {
        *("look_up", "moment", "listen", "sympathy", "word", "consent", "welcome", "goodbye", "shouting")
    }
    assert any("look_up" in problem and "asks" in problem for problem in problems)
    assert any("consent" in problem and "something else" in problem for problem in problems)
    assert any("twice" in problem for problem in problems)
    assert any("not text" in problem for problem in problems)
    assert any("too long" in problem for problem in problems)


@pytest.mark.parametrize("text", ["", "- Let me see.", "just words", "look_up: [", "{", "look_up: []"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path / "phrases.yaml", text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPhrasesError) as caught:
        PhraseBook.load("en", tmp_path / "none.yaml")
    assert caught.value.problems == [f"{tmp_path / 'none.yaml'}: cannot be read: FileNotFoundError"]


def test_a_file_with_the_headings_of_an_older_version_is_translated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "phrases.yaml"
    path.write_text(
        """
        question: [Let me see., One moment.]
        yes_no: [Okay., Got it., "Okay, one moment."]
        perhaps_problem: ["Mm, I hear you."]
        problem: ["I'm so sorry."]
        thanks: [My pleasure.]
        """,
        encoding="utf-8",
    )
    book = PhraseBook.load("en", path)
    assert book.of(Move.LOOK_UP) == ("Let me see.",)
    assert book.of(Move.MOMENT) == ("One moment.", "Okay, one moment.")
    assert book.of(Move.WORD) == ("Okay.", "Got it.")
    assert book.of(Move.LISTEN) == ("Mm, I hear you.",)
    assert (book.of(Move.SYMPATHY), book.of(Move.WELCOME)) == (("I'm so sorry.",), ("My pleasure.",))
    assert "agent-worker phrases" in caplog.text
