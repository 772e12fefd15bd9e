from __future__ import annotations

import random

import pytest

from agent_worker.preresponse import fast_reply
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.policy import Plan
from agent_worker.preresponse.strategies import CallerTurn, ModelStrategy, PhraseStrategy
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.testing import ScriptedLLM
from agent_worker.text.intent import Intent
from agent_worker.text.move import Move

LENGTHS = {"Hm.": 1.3, "Let me see.": 1.8, "Let me think about that.": 2.5}
BOOK = PhraseBook("en", {Move.LOOK_UP: list(LENGTHS)})
USUAL = 1.6


def turn_of(plan: Plan | None, used: tuple[str, ...] = (), answer_eta: float | None = None) -> CallerTurn:
    return CallerTurn(
        "When does it open?",
        Intent.QUESTION,
        "en",
        used,
        TurnTrace("phrase"),
        plan=plan,
        answer_eta=answer_eta,
    )


async def chosen(answer_eta: float | None, used: tuple[str, ...] = ()) -> str | None:
    preresponse = await PhraseStrategy(BOOK, LENGTHS.get).begin(turn_of(None, used)).select(answer_eta)
    return preresponse.text if preresponse else None


@pytest.mark.parametrize(("answer_eta", "fits"), [(1.4, {"Hm."}), (2.0, {"Hm.", "Let me see."}), (None, set(LENGTHS))])
async def test_phrase_ends_before_the_answer_is_expected(answer_eta: float | None, fits: set[str]) -> None:
    assert {await chosen(answer_eta) for _ in range(100)} == fits


async def test_shortest_phrase_is_taken_when_none_is_short_enough() -> None:
    assert await chosen(1.25) == "Hm."


async def test_phrase_with_audio_is_preferred_to_one_that_would_have_to_be_synthesised() -> None:
    book = PhraseBook("en", {"look_up": ["Hm.", "Let me see."]}, random.Random(1))
    for _ in range(10):
        selected = await PhraseStrategy(book, {"Let me see.": 1.0}.get).begin(turn_of(None)).select(None)
        assert selected is not None
        assert selected.text == "Let me see."


async def test_phrase_that_was_used_is_left_out_even_if_it_would_fit_best() -> None:
    assert await chosen(1.25, used=("Hm.",)) == "Let me see."


async def test_move_without_a_phrase_gives_way_to_the_next_that_fits() -> None:
    plan = Plan({Move.CONSENT: 0.6, Move.LOOK_UP: 0.4})
    selected = await PhraseStrategy(BOOK).begin(turn_of(plan)).select(USUAL)
    assert selected is not None
    assert selected.move is Move.LOOK_UP


@pytest.mark.parametrize("spent", [Move.WORD, Move.LOOK_UP, Move.CONSENT])
async def test_sympathy_never_takes_the_place_of_a_spent_list(spent: Move) -> None:
    book = PhraseBook("en", {spent: ["Okay."], Move.SYMPATHY: ["I'm so sorry."]})
    selected = await PhraseStrategy(book).begin(turn_of(Plan({spent: 1.0}), used=("Okay.",))).select(USUAL)
    assert selected is None


async def test_silence_that_is_wanted_is_kept_and_a_tool_call_still_has_its_phrase() -> None:
    plan = Plan({Move.NOTHING: 0.8, Move.LOOK_UP: 0.2})
    attempt = PhraseStrategy(BOOK).begin(turn_of(plan))
    assert await attempt.select(USUAL) is None
    assert PhraseStrategy(BOOK).begin(turn_of(Plan({Move.LOOK_UP: 1.0}))).predicted_text in LENGTHS


@pytest.mark.parametrize(
    ("move", "reply", "spoken"),
    [
        (Move.LOOK_UP, "Checking the opening hours.", "Checking the opening hours."),
        (Move.LOOK_UP, "Let me look that up.", "Let me look that up."),
        (Move.LOOK_UP, "Oh, I'm so sorry.", "Hm."),
        (Move.LOOK_UP, "I see.", "Hm."),
        (Move.LOOK_UP, "The museum opens at nine.", "Hm."),
        (Move.SYMPATHY, "I'm so sorry about that.", "I'm so sorry about that."),
        (Move.SYMPATHY, "Let me check that.", "Oh dear, I'm sorry."),
        (Move.LISTEN, "I'm so sorry about that.", "I see."),
    ],
)
async def test_fast_model_is_held_to_the_move_that_is_wanted(move: Move, reply: str, spoken: str) -> None:
    book = PhraseBook("en", {Move.LOOK_UP: ["Hm."], Move.SYMPATHY: ["Oh dear, I'm sorry."], Move.LISTEN: ["I see."]})
    strategy = ModelStrategy(ScriptedLLM(reply), PhraseStrategy(book), lambda _: None)
    attempt = strategy.begin(turn_of(Plan({move: 1.0}), answer_eta=USUAL))
    selected = await attempt.select(USUAL)
    await attempt.aclose()
    assert selected is not None
    assert selected.text == spoken


async def test_fast_model_is_not_asked_for_a_word_or_for_silence() -> None:
    fast = ScriptedLLM("Okay.")
    strategy = ModelStrategy(fast, PhraseStrategy(PhraseBook.load("en")), lambda _: None)
    for move in (Move.WORD, Move.CONSENT, Move.NOTHING):
        await strategy.begin(turn_of(Plan({move: 1.0}), answer_eta=USUAL)).select(USUAL)
    assert not fast.requests


@pytest.mark.parametrize("move", list(fast_reply.WANTED))
def test_fast_model_is_told_the_wanted_move(move: Move) -> None:
    system, *examples, caller = fast_reply.request("Be brief.", "Is it open?", move).items
    assert fast_reply.WANTED[move] in (system.text_content or "")  # type: ignore[union-attr]
    assert len(examples) == 2 * len(fast_reply.EXAMPLES[move])
    assert caller.text_content == "Is it open?"  # type: ignore[union-attr]
