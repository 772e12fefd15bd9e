from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc
from livekit.agents.types import TOPIC_CHAT
from livekit.agents.voice import room_io

from agent_worker.room.text_input import (
    BURST,
    INTERVAL_S,
    MAX_PENDING,
    MAX_TEXT_CHARS,
    BoundedTextInput,
    read_bounded,
)
from agent_worker.room.token_bucket import TokenBucket
from agent_worker.telemetry.events import EngineEvents
from agent_worker.telemetry.trace import TurnTrace
from tests.waiting import settle, until

ANY_CHUNK = st.text(st.characters(exclude_categories=()), max_size=3_000)


class FakeReader:
    """A text stream. It never ends if it has no chunks."""

    def __init__(self, *chunks: str) -> None:
        self.info = None
        self.closed = asyncio.Event()
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[str]:
        for chunk in self._chunks:
            yield chunk
        if not self._chunks:
            await asyncio.Event().wait()

    def close(self) -> None:
        self.closed.set()


class FakeReply:
    """The speech of a reply, which ends when a test says so."""

    def __init__(self) -> None:
        self._callbacks: list[Any] = []
        self.ended = False

    def done(self) -> bool:
        return self.ended

    def add_done_callback(self, callback: Any) -> None:
        self._callbacks.append(callback)

    def end(self) -> None:
        self.ended = True
        for callback in self._callbacks:
            callback(self)


class Chat:
    """A room with a caller, whose chat messages a session receives.

    Attributes:
        now: The clock of the token bucket, which each wait advances.
        replies: The session's reply to each message; a test starts its answer or ends it.
    """

    def __init__(self, error: Exception | None = None, *, has_caller: bool = True) -> None:
        self.received: list[str] = []
        self.replies: list[FakeReply] = []
        self.sleeps: list[float] = []
        self.now = 0.0
        self.engine = EngineEvents()
        self.is_detached = False
        self._session_events: rtc.EventEmitter[str] = rtc.EventEmitter()
        self._error = error
        self._is_linked = asyncio.Event()
        self._room_io = SimpleNamespace(linked_participant=None, wait_for_ready=self._is_linked.wait)
        if has_caller:
            self.link_caller()
        session: Any = SimpleNamespace(room_io=self._room_io, once=self._session_events.once)
        room: Any = SimpleNamespace(
            register_text_stream_handler=self._register, unregister_text_stream_handler=self._unregister
        )
        bucket = TokenBucket(BURST, INTERVAL_S, clock=lambda: self.now)
        BoundedTextInput(session, room, self.engine, deliver=self._deliver, bucket=bucket, sleep=self._sleep).attach()

    def link_caller(self) -> None:
        self._room_io.linked_participant = SimpleNamespace(identity="caller")
        self._is_linked.set()

    def start_answer(self) -> None:
        self.engine.emit("answer_started", TurnTrace())

    def close_session(self) -> None:
        self._session_events.emit("close", None)

    async def type_and_be_answered(self, text: str) -> None:
        reader = FakeReader(text)
        self.send(reader, "caller")
        known = len(self.replies)
        await until(lambda: len(self.replies) > known)
        self.start_answer()
        await reader.closed.wait()

    def _register(self, topic: str, handler: Any) -> None:
        assert topic == TOPIC_CHAT
        self.send = handler

    def _unregister(self, topic: str) -> None:
        assert topic == TOPIC_CHAT
        self.is_detached = True

    async def _deliver(self, _: Any, message: room_io.TextInputEvent) -> Any:
        if self._error:
            raise self._error
        self.received.append(message.text)
        self.replies.append(FakeReply())
        return self.replies[-1]

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


async def test_messages_reach_the_session_in_order() -> None:
    chat = Chat()
    await chat.type_and_be_answered("Are you open?")
    await chat.type_and_be_answered("Today?")
    assert chat.received == ["Are you open?", "Today?"]


async def test_next_message_waits_until_the_answer_to_the_one_before_has_begun() -> None:
    chat, first, second = Chat(), FakeReader("first"), FakeReader("second")
    chat.send(first, "caller")
    chat.send(second, "caller")
    await until(lambda: chat.received)
    await settle()
    assert chat.received == ["first"]
    chat.start_answer()
    await until(lambda: len(chat.received) == 2)
    assert chat.received == ["first", "second"]


async def test_next_message_does_not_wait_for_a_reply_that_ends_without_an_answer() -> None:
    chat = Chat()
    for text in ("first", "second"):
        chat.send(FakeReader(text), "caller")
    await until(lambda: chat.received)
    chat.replies[0].end()
    await until(lambda: len(chat.received) == 2)


async def test_a_few_messages_are_delivered_at_once_and_then_one_in_each_interval() -> None:
    chat = Chat()
    for number in range(BURST + 2):
        await chat.type_and_be_answered(f"Text {number}")
    assert chat.sleeps == [0.0] * BURST + [INTERVAL_S] * 2


async def test_message_after_a_pause_does_not_wait() -> None:
    chat = Chat()
    for _ in range(BURST):
        await chat.type_and_be_answered("Hello")
    chat.now += BURST * INTERVAL_S
    for _ in range(BURST):
        await chat.type_and_be_answered("Hello")
    assert chat.sleeps == [0.0] * (2 * BURST)


async def test_message_of_another_participant_is_dropped() -> None:
    chat, reader = Chat(), FakeReader("I am the caller")
    chat.send(reader, "somebody else")
    await reader.closed.wait()
    assert chat.received == []


async def test_message_that_comes_before_the_session_knows_its_caller_waits_for_them() -> None:
    chat, early, other = Chat(has_caller=False), FakeReader("Hello"), FakeReader("I am the caller")
    chat.send(early, "caller")
    chat.send(other, "somebody else")
    await settle()
    assert chat.received == []
    chat.link_caller()
    await until(lambda: chat.received)
    await other.closed.wait()
    assert chat.received == ["Hello"]


async def test_messages_beyond_the_limit_are_dropped_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    chat = Chat()
    pending = [FakeReader() for _ in range(MAX_PENDING)]
    dropped = [FakeReader("one"), FakeReader("two")]
    for reader in [*pending, *dropped]:
        chat.send(reader, "caller")
    assert [reader.closed.is_set() for reader in pending] == [False] * MAX_PENDING
    assert [reader.closed.is_set() for reader in dropped] == [True, True]
    assert caplog.messages == [f"chat messages of a caller are dropped: {MAX_PENDING} others are pending"]


async def test_message_is_closed_when_the_session_has_ended() -> None:
    chat, reader = Chat(error=RuntimeError("the session is closed")), FakeReader("Hello?")
    chat.send(reader, "caller")
    await reader.closed.wait()
    assert chat.received == []


async def test_end_of_the_session_ends_the_input_and_drops_the_pending_messages() -> None:
    chat = Chat()
    readers = [FakeReader("first"), FakeReader("second")]
    for reader in readers:
        chat.send(reader, "caller")
    await until(lambda: chat.received)
    chat.close_session()
    for reader in readers:
        await reader.closed.wait()
    assert chat.received == ["first"]
    assert chat.is_detached


@given(st.lists(ANY_CHUNK, max_size=8))
def test_any_text_is_read_up_to_the_limit_and_can_be_encoded(chunks: list[str]) -> None:
    async def stream(texts: Iterable[str]) -> AsyncIterator[str]:
        for text in texts:
            yield text

    text = asyncio.run(read_bounded(stream(chunks)))
    assert len(text) <= MAX_TEXT_CHARS
    text.encode()


async def test_endless_text_is_read_up_to_the_limit() -> None:
    async def endless() -> AsyncIterator[str]:
        while True:
            yield "and so on "

    assert len(await read_bounded(endless())) == MAX_TEXT_CHARS
