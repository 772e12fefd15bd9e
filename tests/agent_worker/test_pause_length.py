"""A caller who dictates or has only begun is waited for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit.agents import AgentSession

from agent_worker.turn_taking.pause_length import Pause, PauseDelays, PauseLength
from tests.agent_worker.test_voice_turns import Call, call
from tests.waiting import settle, until

LONG = PauseDelays(open_s=600.0, dictation_s=900.0)


@asynccontextmanager
async def patient_call() -> AsyncIterator[tuple[Call, PauseLength]]:
    """A call in which a pause in dictation is practically endless, so that only a complete value ends the turn."""
    async with call(strategy="off") as now:
        now.gate.set()
        pauses = PauseLength(now.session, "en", LONG, now.agent.last_text)
        now.agent.events.on("caller_text", pauses.on_text)
        yield now, pauses


def delays(session: AgentSession[Any]) -> tuple[float, float]:
    usual = session.options.endpointing
    return usual["min_delay"], usual["max_delay"]


@pytest.mark.parametrize(
    ("question", "pieces"),
    [
        ("What's your phone number?", ["four one five", "five five five", "oh one two three"]),
        ("What's your email address?", ["It's john dot smith", "at example dot com"]),
        ("Could you give me your card number?", ["4111 1111", "1111", "1111"]),
        ("What's your date of birth?", ["March", "third", "nineteen eighty four"]),
        ("How do you spell your last name?", ["Jones, J O", "N E S"]),
        ("How can I help you?", ["I'd like to order", "a pizza with mushrooms"]),
        ("How can I help you?", ["I want to book a flight to", "Berlin on Friday"]),
        ("Anything else?", ["Can you tell me", "when you open?"]),
        ("Why did you change it?", ["We moved it so that", "everybody can come."]),
    ],
)
async def test_pieces_with_pauses_between_them_are_one_turn(question: str, pieces: list[str]) -> None:
    async with patient_call() as (now, _):
        usual = delays(now.session)
        await now.session.say(question)
        for piece in pieces[:-1]:
            now.ears.say(piece)
            await until(lambda: delays(now.session)[0] > usual[0])
            await settle()
            assert now.said == [question]
        now.ears.say(pieces[-1])
        await now.until_said(3)
        assert now.said[1] == " ".join(pieces)
        assert delays(now.session) == usual


async def test_interim_words_are_enough_to_wait() -> None:
    async with patient_call() as (now, pauses):
        now.ears.start_speech()
        now.ears.interim("I'd like to order")
        await until(lambda: pauses.pause is Pause.OPEN)
        assert delays(now.session) == (LONG.open_s, LONG.open_s)
        now.ears.interim("I'd like to order a pizza")
        await until(lambda: pauses.pause is Pause.USUAL)


async def test_longer_usual_delay_stays() -> None:
    async with call() as now:
        now.session.update_options(endpointing_opts={"min_delay": 1.0, "max_delay": 3.0})
        pauses = PauseLength(now.session, "en", PauseDelays(open_s=0.0, dictation_s=2.0))
        pauses.on_text("I'd like to order")
        assert delays(now.session) == (1.0, 3.0)
        pauses.on_text("my phone number is four one five")
        assert delays(now.session) == (2.0, 3.0)
        assert pauses.min_delay_s == 2.0
