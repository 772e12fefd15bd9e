"""An agent that takes over a call which another agent has begun."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from livekit.agents import Agent, AgentSession, CloseEvent, CloseReason

from agent_worker.core.sealed import Sealer
from agent_worker.core.settings import CloudSettings, load
from agent_worker.lifecycle.continuation import (
    ConversationKeeper,
    earlier_conversation,
    go_on,
    remember,
    sealer_of,
)
from agent_worker.room.conversation import Conversation, Message, conversation_in, messages_of, with_conversation
from agent_worker.telemetry import session_meter
from agent_worker.testing import ScriptedTTS
from tests.agent_worker.test_call_limit import Changes, session_with
from tests.waiting import settle, until

SEALER = Sealer("a secret of the deployment", "test", "RM_1")
ASKED, ANSWERED = Message("user", "How old are trains?"), Message("assistant", "Trains are old.")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "GROQ_API_KEY", "DEEPGRAM_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "given")
    monkeypatch.setenv("LIVEKIT_URL", "ws://localhost:7880")


class Room:
    """A room whose metadata LiveKit changes."""

    def __init__(self, metadata: str = "") -> None:
        self.metadata = metadata
        self.writes = 0
        self.is_down = False

    async def set_metadata(self, metadata: str) -> None:
        self.writes += 1
        if self.is_down:
            raise ConnectionError("LiveKit is restarted")
        self.metadata = metadata

    @property
    def conversation(self) -> Conversation | None:
        return conversation_in(self.metadata, SEALER)


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


def keeper(room: Room, earlier: Conversation | None = None) -> ConversationKeeper:
    return ConversationKeeper(room, SEALER, earlier, "en", room.set_metadata, sleep=no_sleep)


def messages(room: Room) -> tuple[Message, ...]:
    return room.conversation.messages if room.conversation else ()


async def test_everything_that_is_said_is_in_the_room() -> None:
    room, voice = Room(json.dumps({"agent_worker.page_room": 1})), ScriptedTTS()
    async with session_with(voice) as session:
        keeper(room).attach(session)
        session.say("Hello!")
        await until(lambda: messages(room) == (Message("assistant", "Hello!"),))
        session.say("How can I help you?")
        await until(lambda: len(messages(room)) == 2)
    assert json.loads(room.metadata)["agent_worker.page_room"] == 1


async def test_conversation_of_the_agent_before_stays_in_front_for_the_agent_after() -> None:
    room, voice = Room(), ScriptedTTS()
    async with session_with(voice) as session:
        keeper(room, Conversation((ASKED, ANSWERED), "de")).attach(session)
        session.say("Hello!")
        await until(lambda: messages(room) == (ASKED, ANSWERED, Message("assistant", "Hello!")))
    assert room.conversation
    assert room.conversation.language == "de"


async def test_failed_write_costs_nothing_but_itself() -> None:
    room, voice = Room(), ScriptedTTS()
    room.is_down = True
    async with session_with(voice) as session:
        keeper(room).attach(session)
        session.say("Hello!")
        await until(lambda: room.writes)
        room.is_down = False
        session.say("How can I help you?")
        await until(lambda: len(messages(room)) == 2)


async def test_metadata_of_others_are_left_alone() -> None:
    room, voice = Room("text of another service"), ScriptedTTS()
    async with session_with(voice) as session:
        task = keeper(room).attach(session)
        session.say("Hello!")
        await until(task.done)
    assert room.metadata == "text of another service"
    assert not room.writes


@pytest.mark.parametrize(
    ("reason", "is_left"),
    [(CloseReason.PARTICIPANT_DISCONNECTED, False), (CloseReason.JOB_SHUTDOWN, True), (CloseReason.ERROR, True)],
)
async def test_who_comes_after_the_caller_has_left_does_not_hear_the_callers_words(
    reason: CloseReason, is_left: bool
) -> None:
    room = Room(json.dumps({"agent_worker.page_room": 1}))
    async with session_with(ScriptedTTS()) as session:
        kept = keeper(room)
        kept.attach(session)
        session.say("Hello!")
        await until(lambda: messages(room))
        session.emit("close", CloseEvent(reason=reason))
        await kept.forget_if_over()
    assert bool(messages(room)) is is_left
    assert json.loads(room.metadata)["agent_worker.page_room"] == 1


async def test_new_agent_knows_what_was_said() -> None:
    agent = Agent(instructions="Be brief.")
    await remember(agent, Conversation((ASKED, ANSWERED)))
    assert messages_of(agent.chat_ctx.items) == (ASKED, ANSWERED)


async def test_words_that_were_not_answered_are_answered_now() -> None:
    agent, session = Agent(instructions=""), Mock()
    conversation = Conversation((ANSWERED, ASKED))
    await remember(agent, conversation)
    assert messages_of(agent.chat_ctx.items) == (ANSWERED,)
    go_on(session, conversation, "en")
    session.say.assert_called_once_with("Sorry, we were cut off.")
    session.generate_reply.assert_called_once_with(user_input="How old are trains?")


@pytest.mark.parametrize(
    ("language", "told", "expected"),
    [
        ("en", "", ["Sorry, we were cut off.", "You were saying: How old are trains?"]),
        ("en", "de-AT", ["Entschuldigung, wir wurden unterbrochen.", "Sie sagten gerade: How old are trains?"]),
        ("fil", "", []),
    ],
)
async def test_caller_hears_that_the_call_was_cut_off_and_where_it_was(
    language: str, told: str, expected: list[str]
) -> None:
    voice = ScriptedTTS()
    async with session_with(voice) as session:
        go_on(session, Conversation((ASKED, ANSWERED), told), language)
        if expected:
            await until(lambda: " ".join(voice.texts) == " ".join(expected))
        await settle()
    assert " ".join(voice.texts) == " ".join(expected)


async def test_long_words_are_not_repeated() -> None:
    session = Mock()
    go_on(session, Conversation((Message("user", "word " * 100), ANSWERED)), "en")
    session.say.assert_called_once_with("Sorry, we were cut off.")
    session.generate_reply.assert_not_called()


def job(metadata: str, sid: str = "RM_1", *, is_fake: bool = False) -> Any:
    return cast(
        "Any",
        SimpleNamespace(
            job=SimpleNamespace(room=SimpleNamespace(sid=sid, name="museum")),
            room=SimpleNamespace(metadata=metadata),
            is_fake_job=lambda: is_fake,
        ),
    )


def metadata_of(conversation: Conversation, sid: str = "RM_1") -> str:
    sealer = sealer_of(job("", sid), load(CloudSettings))
    assert sealer
    found = with_conversation("", conversation, sealer)
    assert found
    return found


def found_in(metadata: str, sid: str = "RM_1") -> Conversation | None:
    return earlier_conversation(job(metadata, sid), sealer_of(job(metadata, sid), load(CloudSettings)))


def test_conversation_is_found_in_its_own_room_only() -> None:
    conversation = Conversation((ASKED, ANSWERED))
    assert found_in(metadata_of(conversation)) == conversation
    assert found_in(metadata_of(conversation), sid="RM_2") is None  # a later room of the same name


def test_call_in_which_the_caller_has_said_nothing_begins_anew() -> None:
    assert found_in(metadata_of(Conversation((Message("assistant", "Hello!"),)))) is None
    assert found_in("") is None


def test_key_of_the_deployment_takes_the_place_of_livekits_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = metadata_of(Conversation((ASKED,)))
    monkeypatch.setenv("CALL_CONTINUATION_KEY", "another secret of 16 characters")
    assert found_in(metadata) is None
    assert found_in(metadata_of(Conversation((ASKED,))))


def test_setting_and_console_switch_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sealer_of(job("", is_fake=True), load(CloudSettings)) is None
    monkeypatch.setenv("CALL_CONTINUATION", "0")
    assert sealer_of(job(""), load(CloudSettings)) is None
    assert earlier_conversation(job(""), None) is None


async def test_continued_conversation_is_counted_once() -> None:
    gained = Changes()
    for is_continued in (False, True):
        async with AgentSession[Any](tts=ScriptedTTS(), vad=None, turn_handling={"turn_detection": None}) as session:
            session_meter._count_conversation(session, is_continued=is_continued)
            await session.start(Agent(instructions=""))
            await until(lambda: gained("livekit_active_conversations") == 1)
        await until(lambda: gained("livekit_active_conversations") == 0)
    assert gained("livekit_conversations_total") == 1
    assert gained("livekit_conversations_continued_total") == 1
