"""A telephone caller is put through to a person, and the agent comes back if nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import api, rtc
from livekit.agents import ToolError, llm
from pydantic import ValidationError

from agent_worker.core.log_protection import protect_log_of_calls
from agent_worker.core.settings import ConversationSettings
from agent_worker.preresponse.phrases import built_in_languages
from agent_worker.preresponse.tool_limit import ToolLimit
from agent_worker.room.transfer import TOOL_NAME, HumanTransfer
from agent_worker.text.messages import transfer, transfer_failed
from tests.agent_worker.floor_calls import Call, call, until
from tests.agent_worker.test_callers import people
from tests.waiting import settle

TARGET = "tel:+15105550100"
REPLY = "How else can I help?"
PHONE = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
SUCCESS = api.TransferSIPParticipantResponse(status=api.SIPTransferStatus.STS_TRANSFER_SUCCESSFUL)
FAILURE = api.TransferSIPParticipantResponse(status=api.SIPTransferStatus.STS_TRANSFER_FAILED)


def busy(**metadata: str) -> api.SipCallError:
    return api.SipCallError("unavailable", f"{TARGET} is busy", status=503, metadata=metadata)


class Exchange:
    """Stands for LiveKit's SIP service: the test sets the outcome of a transfer."""

    def __init__(self) -> None:
        self.requests: list[api.TransferSIPParticipantRequest] = []
        self.said_before: list[str] = []
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.transferred = 0
        self.now: Any = None

    async def refer(self, request: api.TransferSIPParticipantRequest, _: float) -> Any:
        self.requests.append(request)
        self.said_before = said(self.now)
        return await self.outcome

    def on_transferred(self) -> None:
        self.transferred += 1


def said(now: Call) -> list[str]:
    return [text for role, text in now.messages if role == "assistant"]


@asynccontextmanager
async def asking_for_a_person(kind: Any = PHONE, language: str = "en") -> AsyncIterator[tuple[Call, Exchange]]:
    """A call in which the main model puts the caller through."""
    exchange = Exchange()
    caller: Any = SimpleNamespace(identity="sip_1", kind=kind)
    human = HumanTransfer("room", TARGET, 30.0, exchange.refer, lambda: caller, language, exchange.on_transferred)
    options: dict[str, Any] = {"tools": [human.tool], "early_tools": [TOOL_NAME], "language": language}
    async with call(REPLY, calls_tool=True, **options) as now:
        exchange.now = now
        now.main.tool_call = llm.FunctionToolCall(name=TOOL_NAME, arguments="{}", call_id="1")
        now.loudspeaker.automatic = True
        now.gate.set()
        await now.say("I want to talk to a person.")
        yield now, exchange


async def test_caller_hears_that_they_are_put_through_before_it_happens() -> None:
    async with asking_for_a_person() as (now, exchange):
        await until(lambda: exchange.requests)
        assert exchange.said_before == [transfer("en")]
        (request,) = exchange.requests
        assert (request.room_name, request.participant_identity, request.transfer_to) == ("room", "sip_1", TARGET)
        assert request.ringing_timeout.seconds == 30
        exchange.outcome.set_result(SUCCESS)
        await until(lambda: exchange.transferred == 1)
        await until(lambda: now.session.current_speech is None)
        assert said(now) == [transfer("en")]


@pytest.mark.parametrize(
    "outcome", [FAILURE, asyncio.TimeoutError(), api.ServerError("unavailable", "no SIP", status=503)]
)
@pytest.mark.parametrize("language", ["en", "pt"])
async def test_agent_comes_back_if_nobody_answers(outcome: Any, language: str) -> None:
    async with asking_for_a_person(language=language) as (now, exchange):
        await until(lambda: exchange.requests)
        if isinstance(outcome, Exception):
            exchange.outcome.set_exception(outcome)
        else:
            exchange.outcome.set_result(outcome)
        await until(lambda: said(now) == [transfer(language), transfer_failed(language), REPLY])
        assert not exchange.transferred
        (result,) = [item for item in now.main.requests[-1].items if item.type == "function_call_output"]
        assert result.is_error
        assert transfer_failed(language) in result.output


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (api.ServerError("unknown", f"cannot dial {TARGET}", status=500), "LiveKit's API answered unknown"),
        (busy(sip_status_code="486"), "SIP status 486"),
        (busy(sip_transfer_reason="STR_RINGING_TIMEOUT"), "STR_RINGING_TIMEOUT"),
    ],
)
async def test_log_says_why_nobody_was_put_through_and_not_to_whom(
    error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    protect_log_of_calls()
    async with asking_for_a_person() as (now, exchange):
        await until(lambda: exchange.requests)
        exchange.outcome.set_exception(error)
        await until(lambda: REPLY in said(now))
    assert f"a caller was not put through: {reason}" in caplog.messages
    assert TARGET not in caplog.text


async def test_caller_who_is_not_on_a_telephone_is_not_put_through() -> None:
    async with asking_for_a_person(rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD) as (now, exchange):
        await until(lambda: said(now) == [REPLY])
        assert not exchange.requests


async def test_language_without_texts_is_put_through_in_silence() -> None:
    async with asking_for_a_person(language="ja") as (now, exchange):
        await until(lambda: exchange.requests)
        exchange.outcome.set_result(FAILURE)
        await until(lambda: said(now) == [REPLY])


async def test_main_model_has_the_tool_in_calls_from_a_telephone_only(tmp_path: Path) -> None:
    async with people(tmp_path, transfer_to=TARGET) as now:
        agent = now.session.current_agent
        now.join("ann")
        await settle()
        assert TOOL_NAME not in {each.id for each in agent.tools}
        now.join("sip_1", kind=PHONE)
        now.speak("sip_1")
        await until(lambda: TOOL_NAME in {each.id for each in agent.tools})
        now.speak("ann")
        now.speak("sip_1")
        await settle()
        assert [each.id for each in agent.tools].count(TOOL_NAME) == 1


async def test_nobody_is_put_through_without_a_target(tmp_path: Path) -> None:
    async with people(tmp_path) as now:
        now.join("sip_1", kind=PHONE)
        await settle()
        assert TOOL_NAME not in {each.id for each in now.session.current_agent.tools}


@pytest.mark.parametrize("target", ["+15105550100", "https://example.com", "tel:", "sip:desk"])
def test_target_that_is_no_address_is_refused(target: str) -> None:
    with pytest.raises(ValidationError):
        ConversationSettings(transfer_to=target)


async def test_tool_that_limits_itself_is_not_given_up() -> None:
    async def too_long(_: float) -> None:
        return

    async def work() -> str:
        await settle()
        return "done"

    limit = ToolLimit(1.0, too_long, lambda: False, lambda: None)
    with pytest.raises(ToolError):
        await limit.run(TOOL_NAME, work(), lambda: None)
    limit.unlimited.add(TOOL_NAME)
    assert await limit.run(TOOL_NAME, work(), lambda: None) == "done"


@pytest.mark.parametrize("language", built_in_languages())
def test_every_language_says_it(language: str) -> None:
    assert transfer(language)
    assert transfer_failed(language)
