from __future__ import annotations

import random

import pytest

from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.strategies import CallerTurn, PhraseStrategy
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.text.intent import Intent

LENGTHS = {"Hm.": 0.3, "Let me see.": 0.8, "Let me think about that.": 1.5}
BOOK = PhraseBook("en", {Intent.QUESTION: list(LENGTHS)})


async def chosen(answer_eta: float | None, used: tuple[str, ...] = ()) -> str | None:
    turn = CallerTurn("When does it open?", Intent.QUESTION, "en", used, TurnTrace("phrase"))
    preresponse = await PhraseStrategy(BOOK, LENGTHS.get).begin(turn).select(answer_eta)
    return preresponse.text if preresponse else None


@pytest.mark.parametrize(("answer_eta", "fits"), [(0.5, {"Hm."}), (1.0, {"Hm.", "Let me see."}), (None, set(LENGTHS))])
async def test_phrase_ends_before_the_answer_is_expected(answer_eta: float | None, fits: set[str]) -> None:
    assert {await chosen(answer_eta) for _ in range(100)} == fits


async def test_shortest_phrase_is_taken_when_none_is_short_enough() -> None:
    assert await chosen(0.1) == "Hm."


async def test_phrase_with_audio_is_preferred_to_one_that_would_have_to_be_synthesised() -> None:
    book = PhraseBook("en", {"question": ["Hm.", "Let me see."]}, random.Random(1))
    turn = CallerTurn("Is it open?", Intent.QUESTION, "en", (), TurnTrace("phrase"))
    for _ in range(10):
        attempt = PhraseStrategy(book, {"Let me see.": 1.0}.get).begin(turn)
        selected = await attempt.select(None)
        assert selected is not None
        assert selected.text == "Let me see."


async def test_phrase_that_was_used_is_left_out_even_if_it_would_fit_best() -> None:
    assert await chosen(0.1, used=("Hm.",)) == "Let me see."


async def test_phrase_fits_the_alternative_intents_too() -> None:
    book = PhraseBook("en", {"question": ["Hm.", "Let me see."], "request": ["Let me see."]})
    turn = CallerTurn("Can you look it up?", Intent.QUESTION, "en", (), TurnTrace("phrase"), (Intent.REQUEST,))
    assert PhraseStrategy(book).begin(turn).predicted_text == "Let me see."


async def test_there_is_none_when_all_were_used() -> None:
    assert await chosen(None, used=tuple(LENGTHS)) is None
