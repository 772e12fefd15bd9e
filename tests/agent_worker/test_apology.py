"""An apology is spoken where a failure would leave the caller in silence, and nowhere else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import ChatContext, ConversationItemAddedEvent

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.preresponse.apology import Apologizer
from agent_worker.testing import ScriptedTTS
from tests.waiting import settle


class Session(rtc.EventEmitter[str]):
    """A session, as far as an apology needs it."""

    def __init__(self, user_state: str = "listening", agent_state: str = "thinking") -> None:
        super().__init__()
        self.user_state = user_state
        self.agent_state = agent_state
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def agent_in(session: Session) -> Any:
    return SimpleNamespace(session=session, chat_ctx=ChatContext.empty())


@pytest.fixture
async def cached(tmp_path: Path) -> PhraseAudio:
    audio = PhraseAudio(tmp_path, "voice")
    await audio.make([Apologizer("en", None).sentence], ScriptedTTS())
    return audio


@pytest.mark.parametrize(("user_state", "spoken"), [("listening", 1), ("speaking", 0)])
def test_apology_does_not_interrupt_the_caller(user_state: str, spoken: int) -> None:
    session: Any = Session(user_state)
    Apologizer("en", None).apologize(session)
    assert len(session.said) == spoken


async def test_failed_voice_is_apologised_for_from_cached_audio_only(cached: PhraseAudio) -> None:
    without, having = Session(), Session()
    await Apologizer("en", None).on_voice_failure(agent_in(without), "It opens at nine.", None)
    await Apologizer("en", cached).on_voice_failure(agent_in(having), "It opens at nine.", None)
    assert not without.said
    assert having.said == [Apologizer("en", None).sentence]


async def test_apology_that_fails_itself_is_not_apologised_for(cached: PhraseAudio) -> None:
    session, apologizer = Session(), Apologizer("en", cached)
    await apologizer.on_voice_failure(agent_in(session), apologizer.sentence[:12], None)
    assert not session.said


async def test_apology_waits_for_the_end_of_the_turn(cached: PhraseAudio) -> None:
    session, context = Session(), ChatContext.empty()
    message = context.add_message(role="user", content="When?")
    apologizing = asyncio.create_task(Apologizer("en", cached).on_voice_failure(agent_in(session), "Nine.", message.id))
    await settle()
    assert not session.said
    session.emit("conversation_item_added", ConversationItemAddedEvent(item=message))
    await apologizing
    assert len(session.said) == 1
