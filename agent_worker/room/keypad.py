"""The keys that the caller presses on a telephone (DTMF), gathered to turns.

Protocol: LiveKit's SIP DTMF packets. A phone's come from LiveKit's SIP server; other participants can send them too.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession

from agent_worker.core.log import logger
from agent_worker.turn_taking.floor import Clock, Timer

#: Ends a turn of keys, and is part of it only if it is the only one.
END_KEY = "#"
KEYS = frozenset("0123456789*#ABCD")
#: More keys of one turn are dropped.
MAX_KEYS = 64


class Keypad:
    """Gathers the keys of the session's caller until one ends the turn, or none follows for a while.

    The first key silences the agent. While the caller speaks, the turn of keys goes on.

    Args:
        session: The session, started with a room.
        room: Where the keys come from.
        pause_s: Returns how many seconds without a key end the turn, given the keys so far.
        on_key: Is told of each key.
        on_turn: Handles the keys of each turn. ``None``: keys make no turns.
        clock: The clock.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        room: rtc.Room,
        *,
        pause_s: Callable[[str], float],
        on_key: Callable[[str], None] = lambda _: None,
        on_turn: Callable[[str], Awaitable[None]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._session = session
        self._room = room
        self._pause_s = pause_s
        self._on_key = on_key
        self._on_turn = on_turn
        self._clock = clock or Clock()
        self._keys = ""
        self._timer: Timer | None = None
        self._turns: set[asyncio.Task[None]] = set()

    def attach(self) -> None:
        """Take the caller's keys from now on. Call it after ``session.start``."""
        self._room.on("sip_dtmf_received", self._receive)
        self._session.once("close", lambda _: self.detach())

    def detach(self) -> None:
        """Take no more keys, and drop those of an unfinished turn."""
        self._room.off("sip_dtmf_received", self._receive)
        self._stop_timer()
        self._keys = ""

    def _receive(self, packet: rtc.SipDTMF) -> None:
        caller = self._session.room_io.linked_participant
        if caller is None or packet.participant is None or packet.participant.identity != caller.identity:
            return
        if packet.digit not in KEYS:
            return
        self._on_key(packet.digit)
        if self._on_turn is None:
            return
        if not self._keys:
            self._silence_agent()
        if packet.digit == END_KEY:
            self._end_turn(self._keys or END_KEY)
        elif len(self._keys) < MAX_KEYS:
            self._keys += packet.digit
            self._start_timer()

    def _silence_agent(self) -> None:
        with contextlib.suppress(RuntimeError):  # what it says now may not be interrupted, as a farewell
            self._session.interrupt()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self._clock.call_later(self._pause_s(self._keys), self._on_pause)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None

    def _on_pause(self) -> None:
        if self._session.user_state == "speaking":
            self._start_timer()
        else:
            self._end_turn(self._keys)

    def _end_turn(self, keys: str) -> None:
        self._stop_timer()
        self._keys = ""
        task = asyncio.create_task(self._handle(keys), name="keypad_turn")
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)

    async def _handle(self, keys: str) -> None:
        assert self._on_turn is not None
        try:
            await self._on_turn(keys)
        except Exception:  # of an agent's own code: later keys still count
            logger.exception("a turn of keys is lost: its handler failed")
