"""What callers hear who wait for an agent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from call_guard.announcer import Announcers, Line, attend
from call_guard.metrics import AnnouncementEnd, GuardMetrics
from call_guard.sentences import Audio, SentenceBook, Sentences
from call_guard.snapshot import Participant, Role
from tests.call_guard.fake_livekit import CALLER, Clock, FakeLiveKit
from tests.waiting import settle, until

BOOK = SentenceBook([])
WAITING, FAREWELL = Audio(b"\0\0" * 16_000, 16_000), Audio(b"\1\0" * 16_000, 16_000)
SENTENCES = Sentences(WAITING, FAREWELL)
BOOK._by_language["en"] = SENTENCES


class FakeLine:
    """A room in which playing takes as long as the audio, by the clock."""

    def __init__(self, clock: Clock) -> None:
        self.over: asyncio.Future[AnnouncementEnd] = asyncio.get_running_loop().create_future()
        self.language = ""
        self.heard: list[Audio] = []
        self.ends_after: tuple[int, AnnouncementEnd] | None = None
        self._clock = clock

    async def play(self, audio: Audio) -> None:
        self.heard.append(audio)
        if self.ends_after and len(self.heard) == self.ends_after[0]:
            self.over.set_result(self.ends_after[1])
            await asyncio.Event().wait()  # the sentence would go on
        await self._clock.sleep(audio.duration)


async def heard(limit_s: float, ends_after: tuple[int, AnnouncementEnd] | None = None) -> tuple[list[Audio], str]:
    clock = Clock()
    line = FakeLine(clock)
    line.ends_after = ends_after
    end = await attend(line, SENTENCES, limit_s, sleep=clock.sleep, clock=clock)
    return line.heard, end


async def test_caller_is_told_again_and_again_and_hears_a_goodbye_at_the_limit() -> None:
    assert await heard(30) == ([WAITING, WAITING, WAITING, FAREWELL], "limit")


@pytest.mark.parametrize("end", ["agent", "no_caller", "disconnected"])
async def test_announcer_stops_in_the_middle_of_a_sentence_when_nobody_waits_any_more(end: AnnouncementEnd) -> None:
    assert await heard(30, (2, end)) == ([WAITING, WAITING], end)


async def test_agent_that_comes_during_the_goodbye_is_not_talked_over() -> None:
    assert await heard(13, (2, "agent")) == ([WAITING, FAREWELL], "agent")


class Phone:
    """Announcers of several guards in the same rooms."""

    def __init__(self, guards: int = 1, limit_s: float = 1000) -> None:
        self.livekit = FakeLiveKit()
        self.livekit.add(CALLER)
        self.metrics = GuardMetrics()
        self.clock = Clock()
        self.lines: list[FakeLine] = []
        self.dialled: list[str] = []
        self.announcers = [
            Announcers(
                self.dial,
                self.livekit,
                BOOK,
                self.metrics,
                limit_s,
                sleep=self.clock.sleep,
                jitter=lambda: 0.5,
            )
            for _ in range(guards)
        ]

    @contextlib.asynccontextmanager
    async def dial(self, room: str) -> AsyncIterator[Line]:
        self.dialled.append(room)
        if self.livekit.is_down:
            raise ConnectionError("LiveKit is restarted")
        self.livekit.change(room, join=Participant("announcer", Role.ANNOUNCER))
        line = FakeLine(self.clock)
        line.ends_after = (1, "agent")
        self.lines.append(line)
        try:
            yield line
        finally:
            self.livekit.change(room, leave="announcer")

    def ended(self, end: str) -> float | None:
        return self.metrics.registry.get_sample_value("call_guard_announcements_total", {"end": end})


async def test_guard_sends_one_announcer_however_often_it_is_asked_and_leaves_with_it() -> None:
    phone = Phone()
    for _ in range(3):
        phone.announcers[0].announce("room")
    await until(lambda: phone.ended("agent") == 1)
    assert phone.dialled == ["room"]
    assert phone.livekit.rooms["room"].members(Role.ANNOUNCER) == ()


async def test_announcer_of_the_other_guard_is_left_alone() -> None:
    phone = Phone()
    phone.livekit.change("room", join=Participant("announcer", Role.ANNOUNCER))
    phone.announcers[0].announce("room")
    await settle()
    assert phone.dialled == []


async def test_guard_joins_few_rooms_at_once_and_none_in_which_the_other_announcer_has_come_meanwhile() -> None:
    phone = Phone()
    joining, joined = asyncio.Event(), asyncio.Event()
    at_once: list[str] = []

    @contextlib.asynccontextmanager
    async def slowly(room: str) -> AsyncIterator[Line]:
        at_once.append(room)
        joining.set()
        await joined.wait()
        async with phone.dial(room) as line:
            yield line

    phone.announcers[0]._dial = slowly
    rooms = [f"room-{number}" for number in range(20)]
    for room in rooms:
        phone.livekit.add(CALLER, name=room)
        phone.announcers[0].announce(room)
    await joining.wait()
    await settle()
    assert 1 <= len(at_once) < len(rooms)
    others = set(rooms) - set(at_once)
    for room in others:
        phone.livekit.change(room, join=Participant("announcer", Role.ANNOUNCER))
    joined.set()
    await until(lambda: not phone.announcers[0]._tasks)
    assert set(phone.dialled) == set(rooms) - others


async def test_room_is_closed_after_the_goodbye() -> None:
    phone = Phone(limit_s=0)

    class Patient(FakeLine):
        async def play(self, audio: Audio) -> None:
            self.heard.append(audio)

    @contextlib.asynccontextmanager
    async def dial(_: str) -> AsyncIterator[Line]:
        line = Patient(phone.clock)
        phone.lines.append(line)
        yield line

    phone.announcers[0]._dial = dial
    phone.announcers[0].announce("room")
    await until(lambda: phone.ended("limit") == 1)
    assert phone.lines[0].heard == [FAREWELL]
    assert phone.livekit.rooms == {}


async def test_announcer_that_cannot_join_is_counted_and_may_be_sent_again() -> None:
    phone = Phone()
    phone.livekit.is_down = True
    phone.announcers[0].announce("room")
    await until(lambda: phone.ended("failed") == 1)
    phone.livekit.is_down = False
    await until(lambda: not phone.announcers[0]._tasks)
    phone.announcers[0].announce("room")
    await until(lambda: phone.ended("agent") == 1)


async def test_guard_that_ends_takes_its_announcers_away() -> None:
    phone = Phone()
    phone.announcers[0].announce("room")
    phone.livekit.change("room", leave="nobody")
    await phone.announcers[0].aclose()
    assert phone.livekit.rooms["room"].members(Role.ANNOUNCER) == ()
