from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents.types import TOPIC_CHAT
from livekit.agents.voice import room_io

from agent_worker.room.text_input import MAX_PENDING, MAX_TEXT_CHARS, BoundedTextInput, read_bounded

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


class Chat:
    """A room with a caller, whose chat messages a session receives. Time passes when a test sets ``interval_over``."""

    def __init__(self, error: Exception | None = None) -> None:
        self.received: list[str] = []
        self.sleeps: list[float] = []
        self.interval_begun = asyncio.Event()
        self.interval_over = asyncio.Event()
        self._error = error
        session: Any = SimpleNamespace(room_io=SimpleNamespace(linked_participant=SimpleNamespace(identity="caller")))
        room: Any = SimpleNamespace(register_text_stream_handler=self._register)
        BoundedTextInput(session, room, deliver=self._deliver, sleep=self._sleep).attach()

    def _register(self, topic: str, handler: Any) -> None:
        assert topic == TOPIC_CHAT
        self.send = handler

    async def _deliver(self, _: Any, message: room_io.TextInputEvent) -> None:
        if self._error:
            raise self._error
        self.received.append(message.text)

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.interval_begun.set()
        await self.interval_over.wait()


async def test_messages_reach_the_session_in_order_half_a_second_apart() -> None:
    chat, first, second = Chat(), FakeReader("Are you ", "open?"), FakeReader("Today?")
    chat.send(first, "caller")
    chat.send(second, "caller")
    chat.interval_over.set()
    await first.closed.wait()
    await second.closed.wait()
    assert chat.received == ["Are you open?", "Today?"]
    assert chat.sleeps == [0.5, 0.5]


async def test_second_message_waits_for_the_interval() -> None:
    chat, first, second = Chat(), FakeReader("first"), FakeReader("second")
    chat.send(first, "caller")
    chat.send(second, "caller")
    await chat.interval_begun.wait()
    assert chat.received == ["first"]
    chat.interval_over.set()
    await second.closed.wait()
    assert chat.received == ["first", "second"]


async def test_message_of_another_participant_is_dropped() -> None:
    chat, reader = Chat(), FakeReader("I am the caller")
    chat.send(reader, "somebody else")
    await reader.closed.wait()
    assert chat.received == []


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
