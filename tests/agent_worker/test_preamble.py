from __future__ import annotations

import pytest

from agent_worker.text.preamble import PreambleFilter, strip_preamble


@pytest.mark.parametrize(
    ("answer", "spoken"),
    [
        ("Sure, it opens at nine.", "It opens at nine."),
        ("Great question! Sure, it opens at nine.", "It opens at nine."),
        ("Oh, I’m so sorry to hear that. Call your bank.", "Call your bank."),
        ("Hi, there! It opens at nine.", "It opens at nine."),
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
    assert PreambleFilter("en").push("It") == "It"
    assert PreambleFilter("en").push("Gre") == ""


def _streamed(answer: str, language: str) -> str:
    opening = PreambleFilter(language)
    return "".join(opening.push(character) for character in answer) + opening.flush()
