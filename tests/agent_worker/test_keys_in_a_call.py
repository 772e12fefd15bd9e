"""Calls in which the caller presses keys."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agent_worker.app.call import take_keys
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.room.text_input import BoundedTextInput
from agent_worker.turn_taking.pause_length import PauseDelays, PauseLength
from tests.agent_worker.floor_calls import Call, call
from tests.agent_worker.telephones import FakeRoom, phone, room_io
from tests.waiting import settle, until

DELAY_S, DICTATION_S = 2.0, 4.0


@dataclasses.dataclass
class PhoneCall:
    call: Call
    room: FakeRoom
    caller: Any
    agent: PreResponseAgent

    def press(self, keys: str) -> None:
        self.room.press(keys, self.caller)

    @property
    def requests(self) -> int:
        return len(self.call.main.requests)


@asynccontextmanager
async def phone_call(agent_text: str | None = None, **options: Any) -> AsyncIterator[PhoneCall]:
    caller = phone(status="active")
    room = FakeRoom(caller)
    async with call(**options) as running:
        session, agent = running.session, running.session.current_agent
        assert isinstance(agent, PreResponseAgent)
        session._room_io = room_io(room, caller)
        text_input = BoundedTextInput(session, room, agent.events)  # type: ignore[arg-type]
        delays = PauseDelays(open_s=2.5, dictation_s=DICTATION_S)
        pauses = PauseLength(session, "en", delays, lambda: agent_text)
        take_keys(session, room, agent, text_input, pauses, DELAY_S)  # type: ignore[arg-type]
        running.gate.set()
        yield PhoneCall(running, room, caller, agent)


async def test_keys_are_answered_like_digits_that_the_caller_says() -> None:
    async with phone_call() as it:
        it.press("42")
        await it.call.quiet(DELAY_S)
        await until(lambda: it.call.caller_turns == ["42"])
        await until(lambda: it.requests)


async def test_within_a_phone_number_the_pause_may_be_longer() -> None:
    async with phone_call("What is your phone number?") as it:
        it.press("415555")
        await it.call.quiet(DICTATION_S - 0.1)
        await settle()
        assert it.call.caller_turns == []
        it.press("0123")
        await it.call.quiet(DELAY_S)
        await until(lambda: it.call.caller_turns == ["4155550123"])


async def test_what_was_said_before_the_keys_is_in_the_same_turn() -> None:
    async with phone_call() as it:
        it.call.session.update_options(endpointing_opts={"min_delay": 600.0, "max_delay": 600.0})
        await it.call.say("My order number is")
        it.press("42#")
        await until(lambda: it.call.caller_turns == ["My order number is 42"])
        await until(lambda: it.requests)


async def test_key_silences_the_agent() -> None:
    async with phone_call() as it:
        await it.call.hear_answer()
        it.press("1")
        await until(lambda: it.call.session.agent_state != "speaking")


async def test_agent_of_ones_own_gives_keys_a_meaning() -> None:
    async with phone_call() as it:
        keys: list[str] = []
        it.agent.events.on("dtmf_received", keys.append)

        async def on_dtmf(pressed: str) -> str | None:
            return {"1": "I want to book a table.", "9": None}[pressed]

        it.agent.on_dtmf = on_dtmf  # type: ignore[method-assign]
        it.press("9#")
        it.press("1#")
        await until(lambda: it.call.caller_turns == ["I want to book a table."])
        assert keys == ["9", "#", "1", "#"]
