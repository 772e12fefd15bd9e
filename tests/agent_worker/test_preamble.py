from __future__ import annotations

import pytest

from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.text.move import SPOKEN_MOVES, Move
from agent_worker.text.preamble import Openings, PreambleFilter, strip_preamble


@pytest.mark.parametrize(
    ("answer", "spoken"),
    [
        ("Sure, it opens at nine.", "It opens at nine."),
        ("Great question! Sure, it opens at nine.", "It opens at nine."),
        ("Oh, I’m so sorry to hear that. Call your bank.", "Call your bank."),
        ("Sure - it opens at nine.", "It opens at nine."),
        ("Certainly not.", "Certainly not."),
        ("Great-grandmother.", "Great-grandmother."),
        ("Hi-fi systems are on the first floor.", "Hi-fi systems are on the first floor."),
        ("Sure.", "Sure."),
        ("Good question marks are rare.", "Good question marks are rare."),
        ("It opens at nine, sure.", "It opens at nine, sure."),
        ("", ""),
    ],
)
def test_preamble_is_removed_unless_it_is_the_whole_answer(answer: str, spoken: str) -> None:
    assert strip_preamble(answer, "en") == spoken
    assert _streamed(answer, "en") == spoken


def test_preambles_depend_on_the_language() -> None:
    assert strip_preamble("Claro, abrimos a las nueve.", "es-MX") == "Abrimos a las nueve."
    assert strip_preamble("Claro, abrimos.", "de") == "Claro, abrimos."
    assert strip_preamble("Sure, yes.", "xx") == "Sure, yes."


def test_sentence_that_the_caller_has_just_heard_is_a_preamble() -> None:
    assert strip_preamble("Let me ask my colleague. It opens at nine.", "en", "Let me ask my colleague!") == (
        "It opens at nine."
    )
    assert strip_preamble("Let me ask. It opens at nine.", "en", "Let me ask my colleague!") == (
        "Let me ask. It opens at nine."
    )


def test_text_that_cannot_become_a_preamble_is_not_held_back() -> None:
    assert PreambleFilter(Openings("en")).push("It") == "It"
    assert PreambleFilter(Openings("en")).push("Gre") == ""


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "pt"])
@pytest.mark.parametrize("spoken", SPOKEN_MOVES)
def test_every_phrase_of_the_book_is_an_opening_after_its_own_move(language: str, spoken: Move) -> None:
    book = PhraseBook.load(language)
    phrases = [phrase for move in SPOKEN_MOVES if move.group is spoken.group for phrase in book.of(move)]
    for phrase in phrases:
        assert strip_preamble(f"{phrase} Ab neun.", language, phrases[0], spoken, phrases) == "Ab neun."


@pytest.mark.parametrize(
    ("answer", "move", "rest"),
    [
        ("Let me think. It opens at nine.", Move.LOOK_UP, "It opens at nine."),
        ("Hm, let me think. It opens at nine.", Move.LOOK_UP, "It opens at nine."),
        ("Okay, let me see. Let me check that for you. It opens at nine.", Move.MOMENT, "It opens at nine."),
        ("One moment, please. The lines are open.", Move.LOOK_UP, "The lines are open."),
        ("One moment, please. The lines are open.", Move.CONSENT, "One moment, please. The lines are open."),
        ("Hello, world! That is what it prints.", Move.LOOK_UP, "Hello, world! That is what it prints."),
        ("Hello, world! That is what it prints.", Move.GREETING, "Hello, world! That is what it prints."),
        ("Hello! It opens at nine.", Move.GREETING, "It opens at nine."),
        ("Sure, it opens at nine.", Move.LOOK_UP, "Sure, it opens at nine."),
        ("Of course, it opens at nine.", Move.CONSENT, "It opens at nine."),
        ("I'm so sorry. Call your bank.", Move.WORD, "I'm so sorry. Call your bank."),
        ("Hmm, one moment. It opens at nine.", Move.MOMENT, "It opens at nine."),
        ("Mm, I see. It opens at nine.", Move.LISTEN, "It opens at nine."),
        ("Human beings are welcome.", Move.LOOK_UP, "Human beings are welcome."),
        ("Definitely. Maybe is a film.", Move.LISTEN, "Definitely. Maybe is a film."),
        ("Okay computer is an album.", Move.WORD, "Okay computer is an album."),
        ("Hmm... let me see... it opens at nine.", Move.LOOK_UP, "It opens at nine."),
        ("Sure! Let me check. It opens at nine.", Move.LOOK_UP, "It opens at nine."),
        ("Let me check the opening hours for you. It opens at nine.", Move.LOOK_UP, "It opens at nine."),
        ("Of course, let me look that up in our list. It opens.", Move.MOMENT, "It opens."),
        ("I'll check that for you. It opens at nine.", Move.LOOK_UP, "It opens at nine."),
        ("Let me check, it opens late. Come at ten.", Move.LOOK_UP, "It opens late. Come at ten."),
        ("Let me see your 2 tickets. Then go in.", Move.LOOK_UP, "Let me see your 2 tickets. Then go in."),
        ("I'll check you in. Your room is five.", Move.LOOK_UP, "I'll check you in. Your room is five."),
        ("Checking accounts are free. So are cards.", Move.LOOK_UP, "Checking accounts are free. So are cards."),
        ("Let me check the opening hours. It opens.", Move.CONSENT, "Let me check the opening hours. It opens."),
        ("Right, left, right.", Move.WORD, "Right, left, right."),
        ("Great, good, fair and poor.", Move.CONSENT, "Great, good, fair and poor."),
        ("Great! It's booked.", Move.WORD, "It's booked."),
    ],
)
def test_only_what_repeats_the_move_just_spoken_is_left_out(answer: str, move: Move, rest: str) -> None:
    for spoken in ("Hm.", ""):
        assert strip_preamble(answer, "en", spoken, move) == rest
        stream = PreambleFilter(Openings("en", spoken, move))
        assert "".join(stream.push(character) for character in answer) + stream.flush() == rest


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        ("Let me check the opening hours.", ""),
        ("Sure! Let me look that up for you.", ""),
        ("One moment, please.", ""),
        ("It opens at nine. Let me check the price.", "It opens at nine. Let me check the price."),
    ],
)
def test_opening_is_left_out_altogether_if_a_tool_is_called_behind_it(answer: str, rest: str) -> None:
    alone, before_tool = (PreambleFilter(Openings("en", "Let me see.", Move.LOOK_UP)) for _ in range(2))
    assert alone.push(answer) + alone.flush() == answer
    spoken = before_tool.push(answer)
    before_tool.on_tool_call()
    assert spoken + before_tool.flush() == rest


@pytest.mark.parametrize(
    ("language", "answer", "rest"),
    [
        ("de", "Gerne, ich schaue kurz nach. Ab neun.", "Ab neun."),
        ("es", "Claro, voy a revisar el horario. A las nueve.", "A las nueve."),
        ("fr", "Bien sûr, je vérifie les horaires. À neuf heures.", "À neuf heures."),
        ("pt", "Claro, vou verificar o horário. Às nove.", "Às nove."),
    ],
)
def test_sentence_about_a_look_up_is_an_opening_in_every_language(language: str, answer: str, rest: str) -> None:
    assert strip_preamble(answer, language, "Hm.", Move.LOOK_UP) == rest


def _streamed(answer: str, language: str) -> str:
    opening = PreambleFilter(Openings(language))
    return "".join(opening.push(character) for character in answer) + opening.flush()
