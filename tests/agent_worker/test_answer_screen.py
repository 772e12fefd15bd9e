"""Calls that the agent placed: who has answered, and what follows from it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit.agents import SpeechCreatedEvent, llm

from agent_worker.app.call import _make_backchannels, follow_silence, screen_of
from agent_worker.core.compat import livekit
from agent_worker.core.outbound_call import MachineHandling
from agent_worker.core.settings import ConversationSettings
from agent_worker.lifecycle.greeting import greet_when_answered
from agent_worker.lifecycle.outbound import OutboundCall
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.telemetry.pricing import Prices
from agent_worker.telemetry.record import TurnRecord
from agent_worker.telemetry.session_meter import SessionMeter
from agent_worker.testing import ScriptedLLM
from tests.agent_worker.floor_calls import Call, call
from tests.agent_worker.telephones import FakeRoom, phone, room_io
from tests.agent_worker.test_session_meter import Changes, a_stack
from tests.agent_worker.test_silent_caller import End
from tests.waiting import settle, until

GREETING = "Hello, this is the museum."
MESSAGE = "This is the museum. Please call us back."
VOICEMAIL = "You have reached Paul. Please leave a message after the tone."
FULL = "The mailbox is full. Goodbye."
MENU = "For opening hours, press one."

#: What the scripted model makes of the words so far.
VERDICTS = {"Hello?": "human", VOICEMAIL: "machine-vm", FULL: "machine-unavailable", MENU: "machine-ivr"}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let livekit-agents' detector decide by events: its times are those of the event loop."""
    monkeypatch.setattr(livekit, "ANSWER_SILENCE_S", 0.0)
    monkeypatch.setattr(livekit, "ANSWER_NO_VOICE_S", 86_400.0)
    monkeypatch.setattr(livekit, "ANSWER_TIMEOUT_S", 86_400.0)


@dataclasses.dataclass
class Outbound:
    call: Call
    end: End
    room: FakeRoom
    phone: Any
    begun: asyncio.Task[None]
    judged: list[str]
    records: list[TurnRecord]
    gained: Changes = dataclasses.field(default_factory=Changes)

    @property
    def agent(self) -> PreResponseAgent:
        agent = self.call.session.current_agent
        assert isinstance(agent, PreResponseAgent)
        return agent

    @property
    def said(self) -> list[str]:
        """What the agent has begun to say."""
        return [text.strip() for text in self.call.voice.texts]

    async def hear(self, text: str, *, transcript_first: bool = True) -> None:
        """The phone says something, and is silent then."""
        await self.call.begin_sound()
        if transcript_first:
            await self.call.final(text)
        await self.call.end_sound()
        if not transcript_first:
            await self.call.final(text)

    async def answer(self) -> None:
        """The phone is answered."""
        self.room.set_status(self.phone, "active")
        await until(lambda: self.agent.is_held_back or self.begun.done())
        await self.call.handled()


@asynccontextmanager
async def dialled(greeting: str | None = GREETING, handling: Any = None, **options: Any) -> AsyncIterator[Outbound]:
    """A call that the agent has placed, and that has been answered."""
    called = phone()
    room = FakeRoom(called)
    given = MachineHandling.model_validate(
        {"answering_machine": "hang_up", "phone_menu": "press_keys", **(handling or {})}
    )
    async with call(**{"strategy": "phrase", **options}) as now:
        now.loudspeaker.automatic = True
        now.gate.set()
        session, agent, end = now.session, now.session.current_agent, End()
        session._room_io = room_io(room, called)
        records, judged = list[TurnRecord](), list[str]()
        meter = SessionMeter(a_stack(), Prices.load())
        meter.watch(session, agent, records.append).watch_audio(now.loudspeaker)
        now.main.chat = judging(now.main, judged)  # type: ignore[method-assign]
        placed = OutboundCall("+4930123456", given)
        screen = screen_of(placed, session, agent, end, is_greeted=greeting is not None)  # type: ignore[arg-type]
        begun = greet_when_answered(session, room, greeting, None, screen)  # type: ignore[arg-type]
        follow_silence(
            session,
            agent,  # type: ignore[arg-type]
            ConversationSettings(),
            end,  # type: ignore[arg-type]
            None,
            lambda: not (screen and screen.awaits_person),
        )
        it = Outbound(now, end, room, called, begun, judged, records)
        if screen is not None:
            await it.answer()
        yield it


def judging(main: ScriptedLLM, judged: list[str]) -> Any:
    """Return ``main.chat``, but for the detector's requests, which ``VERDICTS`` answers."""
    chat = main.chat

    def judge(*, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None = None, **options: Any) -> llm.LLMStream:
        if not any(tool.id == "save_prediction" for tool in tools or ()):
            return chat(chat_ctx=chat_ctx, tools=tools, **options)
        heard = chat_ctx.messages()[-1].text_content or ""
        judged.append(heard)
        verdict = next((label for text, label in VERDICTS.items() if heard.endswith(text)), "uncertain")
        told = llm.FunctionToolCall(name="save_prediction", arguments=json.dumps({"label": verdict}), call_id="1")
        return ScriptedLLM(tool_call=told).chat(chat_ctx=chat_ctx, tools=tools)

    return judge


async def test_person_who_says_hello_is_greeted_and_not_answered_twice() -> None:
    async with dialled() as it:
        await it.hear("Hello?")
        await until(lambda: it.said == [GREETING])
        await it.begun
        await settle()
        assert it.said == [GREETING]
        assert it.call.main.requests == []
        assert ("user", "Hello?") in it.call.messages
        assert it.gained("livekit_outbound_calls_answered_total", by="person") == 1
        await it.hear("When do you open?")  # and the call goes on
        await until(lambda: it.call.main.requests)


async def test_person_is_greeted_without_a_decision_about_the_end_of_the_turn() -> None:
    async with dialled() as it:
        it.call.session.update_options(endpointing_opts={"min_delay": 600.0, "max_delay": 600.0})
        await it.hear("Hello?")
        await until(lambda: it.said == [GREETING])
        await it.begun
        assert it.agent.caller_transcript.text == ""  # it is answered by the greeting


async def test_short_sound_whose_words_are_late_is_a_persons_and_gets_the_greeting_only() -> None:
    async with dialled() as it:
        await it.call.begin_sound()
        await it.call.end_sound()
        await until(lambda: it.said == [GREETING])
        await it.begun
        assert it.judged == []
        assert it.gained("livekit_outbound_calls_answered_total", by="person") == 1


@pytest.mark.parametrize("threshold", ["ANSWER_NO_VOICE_S", "ANSWER_TIMEOUT_S"])
async def test_phone_without_a_voice_is_treated_as_a_persons(threshold: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(livekit, threshold, 0.0)
    async with dialled() as it:
        await until(lambda: it.said == [GREETING])
        await it.begun
        assert it.gained("livekit_outbound_calls_answered_total", by="unknown") == 1


async def test_model_that_does_not_judge_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(livekit, "ANSWER_TIMEOUT_S", 0.5)
    async with dialled() as it:
        await it.hear("Smith residence, good evening.")
        await until(lambda: it.said == [GREETING])
        assert it.judged == ["Smith residence, good evening."]
        await it.begun
        assert it.gained("livekit_outbound_calls_answered_total", by="unknown") == 1


async def test_noise_without_an_end_keeps_nobody_waiting() -> None:
    async with dialled() as it:
        await it.call.begin_sound()
        await it.call.quiet(30.0)
        await it.begun
        assert it.gained("livekit_outbound_calls_answered_total", by="unknown") == 1


async def test_without_a_greeting_what_the_person_has_said_is_answered() -> None:
    async with dialled(greeting=None) as it:
        await it.hear("Hello?")
        await until(lambda: it.call.main.requests)
        await it.begun
        assert it.call.caller_turns == ["Hello?"]


@pytest.mark.parametrize("text", [VOICEMAIL, FULL])
async def test_answering_machine_is_hung_up_on_without_a_word(text: str) -> None:
    async with dialled() as it:
        await it.hear(text)
        await until(lambda: it.end.reasons == ["machine"])
        await it.begun
        await settle()
        assert it.said == []
        assert it.call.main.requests == []
        assert it.gained("livekit_outbound_calls_answered_total", by="machine") == 1


@pytest.mark.parametrize(
    "handling",
    [{}, {"answering_machine": "leave_message", "voicemail_message": MESSAGE}],
    ids=lambda it: it and "message",
)
async def test_what_an_answering_machine_says_is_no_turn_without_an_answer(handling: dict[str, str]) -> None:
    async with dialled(handling=handling) as it:
        for text in ("You have reached the office of Smith and Sons.", VOICEMAIL):
            await it.hear(text)
        if handling:
            await until(lambda: is_recognised(it))
            await it.call.handled()
            await it.call.quiet(1.0)
            await it.call.quiet(1.0)
        await until(lambda: it.end.reasons == ["machine"])
        await it.begun
        await it.call.session.aclose()
    assert VOICEMAIL in it.call.caller_turns
    assert it.said == ([MESSAGE] if handling else [])
    assert it.records == []
    assert it.gained("livekit_conversation_turns_total") == 0
    assert it.gained("livekit_answer_gap_seconds_count", reply="answer") == 0


async def test_what_a_person_says_before_the_greeting_is_one_turn_that_it_answers() -> None:
    async with dialled() as it:
        for text in ("Smith residence, good evening.", "Hello?"):
            await it.hear(text)
        await until(lambda: it.said == [GREETING])
        await it.begun
        await until(lambda: it.records)
        assert it.gained("livekit_conversation_turns_total") == 1
        await it.hear("When do you open?")
        await until(lambda: len(it.records) == 2)
        assert it.gained("livekit_conversation_turns_total") == 2
        assert [record.turn for record in it.records] == [1, 2]
        assert all(record.instants.answer_start is not None for record in it.records)


async def test_nothing_is_said_into_the_pauses_of_a_machines_greeting() -> None:
    async with dialled() as it:
        for text in ("You have reached the office of Smith and Sons.", "Nobody can take your call.", "Please wait."):
            await it.hear(text)
            await it.call.quiet(2.0)
        it.agent.ask_to_repeat()
        await settle()
        assert it.said == []
        assert it.call.main.requests == []
        assert not it.begun.done()
        assert it.judged[-1].endswith("Please wait.")


async def test_listeners_sound_is_not_made_while_it_is_not_known_who_has_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from agent_worker.app import call as call_module

    played: list[Any] = []
    plays: list[Any] = []
    monkeypatch.setattr(call_module, "room_audio_source", lambda _: object())
    monkeypatch.setattr(call_module, "SoftVoice", lambda _: type("Voice", (), {"play": played.append, "stop": None}))
    monkeypatch.setattr(
        call_module, "SoftBackchannel", lambda *_, play, **__: plays.append(play) or type("", (), {"on_text": None})
    )
    async with dialled() as it:
        monkeypatch.setattr(it.agent, "backchannel_clip", lambda: [type("Frame", (), {"duration": 0.3})])
        _make_backchannels(it.call.session, it.agent, None)  # type: ignore[arg-type]
        plays[0]()
        assert not played
        await it.hear("Hello?")
        await it.begun
        plays[0]()
        assert played


async def test_message_is_left_once_after_the_tone_and_cannot_be_interrupted() -> None:
    handling = {"answering_machine": "leave_message", "voicemail_message": MESSAGE}
    async with dialled(handling=handling) as it:
        levels, spoken = [-60.0] * 300, list[SpeechCreatedEvent]()
        it.call.session.on("speech_created", spoken.append)
        it.agent.audio_levels = lambda: levels
        await it.hear(VOICEMAIL)
        await until(lambda: is_recognised(it))
        await it.call.handled()
        await it.call.quiet(1.0)
        levels = [*[-60.0] * 300, *[-20.0] * 50]  # the tone, which is no voice
        await it.call.quiet(1.0)
        await settle()
        assert it.said == []
        levels = [*[-60.0] * 300, *[-20.0] * 50, *[-60.0] * 200]
        await it.call.quiet(1.5)
        await until(lambda: it.said == [MESSAGE])
        await until(lambda: it.end.reasons == ["machine"])
        assert [event.speech_handle.allow_interruptions for event in spoken] == [False]
        await it.begun
        assert it.said == [MESSAGE]
        assert it.call.main.requests == []
        assert it.gained("livekit_outbound_calls_answered_total", by="machine") == 1


def is_recognised(it: Outbound) -> bool:
    """Whether the machine has been recognised."""
    detector = it.call.session.amd
    return detector is not None and not detector.pending


async def test_machine_that_goes_on_is_not_talked_over() -> None:
    handling = {"answering_machine": "leave_message", "voicemail_message": MESSAGE}
    async with dialled(handling=handling) as it:
        await it.hear(VOICEMAIL)
        await until(lambda: is_recognised(it))
        await it.call.handled()
        await it.call.quiet(1.0)
        await it.hear("You may also press nine for more options.")
        await it.call.quiet(1.0)
        await settle()
        assert it.said == []
        await it.call.quiet(1.0)
        await until(lambda: it.said == [MESSAGE])
        await it.begun


async def test_machine_that_takes_no_message_gets_none() -> None:
    handling = {"answering_machine": "leave_message", "voicemail_message": MESSAGE}
    async with dialled(handling=handling) as it:
        await it.hear(FULL)
        await until(lambda: it.end.reasons == ["machine"])
        await it.begun
        assert it.said == []


async def test_machine_can_be_talked_to_as_to_a_person() -> None:
    async with dialled(handling={"answering_machine": "talk"}) as it:
        await it.hear(VOICEMAIL)
        await until(lambda: it.said == [GREETING])
        await it.begun
        assert it.end.reasons == []
        assert it.gained("livekit_outbound_calls_answered_total", by="machine") == 1


async def test_menu_is_answered_with_keys_and_without_a_pre_response() -> None:
    async with dialled() as it:
        pressed: list[str] = []

        async def publish_dtmf(*, code: int, digit: str) -> None:
            pressed.append(digit)

        it.room.local_participant.publish_dtmf = publish_dtmf
        it.call.main.tool_call = llm.FunctionToolCall(name="press_keys", arguments='{"keys": "1#"}', call_id="1")
        await it.hear(MENU)
        await until(lambda: it.call.main.requests)
        await it.call.quiet(1.0)
        await until(lambda: pressed == ["1", "#"])
        await it.begun
        await settle()
        assert it.said == []
        assert len(it.call.main.requests) == 1  # what the menu says next is answered
        assert it.gained("livekit_outbound_calls_answered_total", by="menu") == 1
        await it.hear("We are open from nine to five.")
        await until(lambda: len(it.call.main.requests) == 2)


async def test_nobody_is_asked_whether_they_are_there_while_a_menu_has_the_call() -> None:
    async with dialled() as it:
        await it.hear(MENU)
        await it.begun
        await until(lambda: it.call.session.agent_state == "listening" and it.said)
        before = len(it.said)
        await it.call.quiet(600.0)
        await settle()
        assert len(it.said) == before
        assert it.end.reasons == []


async def test_menu_can_be_hung_up_on() -> None:
    async with dialled(handling={"phone_menu": "hang_up"}) as it:
        await it.hear(MENU)
        await until(lambda: it.end.reasons == ["machine"])
        await it.begun
        assert it.said == []


async def test_call_that_is_not_screened_is_greeted_at_once() -> None:
    async with dialled(handling={"answering_machine": "talk", "phone_menu": "talk"}) as it:
        it.room.set_status(it.phone, "active")
        await until(lambda: it.said == [GREETING])
        assert it.judged == []


def test_call_that_the_agent_has_not_placed_is_never_screened() -> None:
    assert screen_of(None, None, None, None, is_greeted=True) is None  # type: ignore[arg-type]


async def test_words_of_who_answered_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with dialled() as it:
        caplog.clear()
        await it.hear(VOICEMAIL)
        await it.begun
        assert "a call was answered by: machine" in caplog.text
        told = [record for record in caplog.records if record.getMessage() == "amd prediction"]
        assert [vars(record)["lk.pii.transcript"] for record in told] == [""]


async def test_phone_that_hangs_up_before_it_is_known_counts_as_unknown() -> None:
    async with dialled() as it:
        await it.call.session.aclose()
        await asyncio.wait([it.begun])
        assert it.gained("livekit_outbound_calls_answered_total", by="unknown") == 1
