"""The keys of a telephone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc

from agent_worker.room.keypad import MAX_KEYS, Keypad
from tests.agent_worker.floor_calls import FakeTime
from tests.agent_worker.telephones import FakeRoom, phone
from tests.waiting import settle, until

PAUSE_S = 2.0


class Keys:
    """A phone, and what a session is told of its keys."""

    def __init__(self, *, makes_turns: bool = True, error: Exception | None = None) -> None:
        self.caller = phone(status="active")
        self.time, self.room = FakeTime(), FakeRoom(self.caller)
        self.keys, self.turns, self.interruptions = "", list[str](), 0
        self.user_state = "listening"
        self.pause_s: Any = lambda keys: PAUSE_S
        self._error = error
        self.events: rtc.EventEmitter[str] = rtc.EventEmitter()
        self.room_io = SimpleNamespace(linked_participant=self.caller)
        self.keypad = Keypad(
            self,  # type: ignore[arg-type]
            self.room,  # type: ignore[arg-type]
            pause_s=lambda keys: self.pause_s(keys),
            on_key=self._on_key,
            on_turn=self._on_turn if makes_turns else None,
            clock=self.time.clock(),
        )
        self.keypad.attach()

    def once(self, event: str, callback: Any) -> None:
        self.events.once(event, callback)

    def interrupt(self) -> None:
        self.interruptions += 1
        if self._error:
            raise self._error

    def _on_key(self, key: str) -> None:
        self.keys += key

    async def _on_turn(self, keys: str) -> None:
        self.turns.append(keys)

    async def press(self, keys: str, one: Any = None) -> None:
        self.room.press(keys, one or self.caller)
        await asyncio.sleep(0)

    async def pass_(self, seconds: float) -> None:
        self.time.pass_(seconds)
        await asyncio.sleep(0)


async def test_keys_are_one_turn_after_a_pause() -> None:
    phone = Keys()
    await phone.press("41")
    await phone.pass_(PAUSE_S - 0.1)
    await phone.press("55")
    await phone.pass_(PAUSE_S - 0.1)
    assert phone.turns == []
    await phone.pass_(0.1)
    assert (phone.turns, phone.keys) == (["4155"], "4155")


async def test_hash_ends_the_turn_at_once_and_is_no_part_of_it() -> None:
    phone = Keys()
    await phone.press("1*2#3")
    assert phone.turns == ["1*2"]
    await phone.pass_(PAUSE_S)
    assert phone.turns == ["1*2", "3"]


async def test_hash_alone_is_a_turn() -> None:
    phone = Keys()
    await phone.press("#")
    assert phone.turns == ["#"]


async def test_pause_depends_on_the_keys_so_far() -> None:
    phone = Keys()
    phone.pause_s = {"4": 4.0, "42": 1.0}.get
    await phone.press("4")
    await phone.pass_(3.9)
    assert phone.turns == []
    await phone.press("2")
    await phone.pass_(1.0)
    assert phone.turns == ["42"]


async def test_turn_goes_on_while_the_caller_speaks() -> None:
    phone = Keys()
    phone.user_state = "speaking"
    await phone.press("4")
    await phone.pass_(3 * PAUSE_S)
    assert phone.turns == []
    phone.user_state = "listening"
    await phone.pass_(PAUSE_S)
    assert phone.turns == ["4"]


async def test_first_key_of_a_turn_silences_the_agent() -> None:
    phone = Keys()
    await phone.press("12#3")
    assert phone.interruptions == 2


async def test_farewell_that_may_not_be_interrupted_goes_on() -> None:
    phone = Keys(error=RuntimeError("not interruptible"))
    await phone.press("1#")
    assert phone.turns == ["1"]


async def test_keys_of_others_and_unknown_keys_are_ignored() -> None:
    phone = Keys()
    stranger = SimpleNamespace(identity="stranger")
    await phone.press("1", stranger)
    phone.room.emit("sip_dtmf_received", rtc.SipDTMF(code=0, digit="1", participant=None))
    for key in ("x", "", "12"):
        phone.room.emit("sip_dtmf_received", rtc.SipDTMF(code=0, digit=key, participant=phone.caller))
    phone.room_io.linked_participant = None
    await phone.press("1")
    await phone.pass_(PAUSE_S)
    assert (phone.turns, phone.keys, phone.interruptions) == ([], "", 0)


async def test_a_turn_has_a_limited_number_of_keys() -> None:
    phone = Keys()
    await phone.press("1" * (MAX_KEYS + 5) + "#")
    assert phone.turns == ["1" * MAX_KEYS]


async def test_without_turns_only_the_keys_are_told() -> None:
    phone = Keys(makes_turns=False)
    await phone.press("12#")
    await phone.pass_(PAUSE_S)
    assert (phone.keys, phone.turns, phone.interruptions) == ("12#", [], 0)


async def test_end_of_the_session_drops_an_unfinished_turn() -> None:
    phone = Keys()
    await phone.press("12")
    phone.events.emit("close", None)
    await phone.press("3#")
    await phone.pass_(PAUSE_S)
    assert (phone.turns, phone.keys) == ([], "12")


async def test_handler_that_fails_costs_its_turn_only(caplog: pytest.LogCaptureFixture) -> None:
    phone = Keys()
    handle = phone.keypad._on_turn

    async def fail(_: str) -> None:
        raise ValueError

    phone.keypad._on_turn = fail
    await phone.press("1#")
    await until(lambda: caplog.messages)
    phone.keypad._on_turn = handle
    await phone.press("2#")
    await settle()
    assert phone.turns == ["2"]
