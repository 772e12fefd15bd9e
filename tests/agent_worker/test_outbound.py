"""Calls that the agent makes."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import aiohttp
import pytest
from livekit import api, rtc

from agent_worker.app import call as call_module
from agent_worker.core.outbound_call import BadPhoneNumberError, number_to_dial, place_call
from agent_worker.core.settings import Settings
from agent_worker.lifecycle.outbound import BadDispatchError, dial, end_unless, outbound_call
from tests.agent_worker.telephones import FakeRoom, participant, phone
from tests.waiting import settle, until

NUMBER = "+4930123456"
METADATA = json.dumps({"phone_number": NUMBER})


def job_with(metadata: str, *present: Any, error: Exception | None = None) -> Any:
    job: Any = SimpleNamespace(job=SimpleNamespace(metadata=metadata), room=FakeRoom(*present), api=AsyncMock())
    job.api.sip.create_sip_participant.side_effect = error
    return job


def settings(**given: Any) -> Settings:
    server = {"livekit_url": "ws://localhost:7880", "livekit_api_key": "devkey", "livekit_api_secret": "secret"}
    return Settings.model_validate({**server, **given})


async def place(job: Any, trunk: str | None = "ST_1") -> bool | None:
    """Place the call that the metadata ask for; None: they ask for none."""
    call = outbound_call(job, settings())
    return call and await dial(job.api, job.room.name, call.number, trunk=trunk, ringing_timeout_s=25.0)


def dialled(job: Any) -> list[Any]:
    return [call.args[0] for call in job.api.sip.create_sip_participant.await_args_list]


async def test_agent_dials_the_number_of_its_metadata_and_waits_for_the_answer() -> None:
    job = job_with(METADATA)
    assert await place(job)
    (request,) = dialled(job)
    assert (request.sip_call_to, request.sip_trunk_id, request.room_name) == (NUMBER, "ST_1", "museum")
    assert (request.wait_until_answered, request.ringing_timeout.seconds) == (True, 25)


async def test_number_is_no_part_of_what_the_room_shows() -> None:
    job = job_with(METADATA)
    await place(job)
    (request,) = dialled(job)
    assert request.hide_phone_number
    assert NUMBER not in request.participant_identity + request.participant_name


@pytest.mark.parametrize("metadata", ["", "{", "[]", '"+4930123456"', '{"order": 42}', "[" * 100_000])
async def test_other_metadata_call_nobody(metadata: str) -> None:
    job = job_with(metadata)
    assert await place(job) is None
    assert dialled(job) == []


@pytest.mark.parametrize(
    "number", ["", "911x", "sip:me@example.org", "12", "1" * 16, 4930123456, None, ["+493012"], "+٤٩٣٠١٢٣"]
)
def test_what_is_no_telephone_number_is_not_dialled(number: Any) -> None:
    job = job_with(json.dumps({"phone_number": number}))
    with pytest.raises(
        BadDispatchError, match="phone_number in the metadata of its dispatch is no telephone"
    ) as caught:
        outbound_call(job, settings())
    assert "example.org" not in str(caught.value)


def test_signs_between_the_digits_are_left_out() -> None:
    assert number_to_dial('{"phone_number": "+49 (30) 123-456"}') == NUMBER


async def test_without_a_trunk_nobody_is_called(caplog: pytest.LogCaptureFixture) -> None:
    job = job_with(METADATA)
    assert not await place(job, None)
    assert dialled(job) == []
    assert "SIP_OUTBOUND_TRUNK is not set" in caplog.text


async def test_agent_that_takes_the_place_of_a_dead_one_does_not_dial_again() -> None:
    job = job_with(METADATA, phone(status="active"))
    assert await place(job) is None
    assert dialled(job) == []


async def test_somebody_else_in_the_room_does_not_keep_the_agent_from_dialling() -> None:
    job = job_with(METADATA, participant("supervisor"))
    await place(job)
    assert len(dialled(job)) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (api.SipCallError("unavailable", "busy", status=503, metadata={"sip_status_code": "486"}), "SIP status 486"),
        (api.ServerError("not_found", "no such trunk", status=404), "answered not_found"),
        (aiohttp.ClientConnectionError(), "answered ClientConnectionError"),
        (asyncio.TimeoutError(), "answered TimeoutError"),
    ],
)
async def test_call_that_fails_is_logged_without_the_number(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert not await place(job_with(METADATA, error=error))
    assert said in caplog.text
    assert NUMBER not in caplog.text


async def test_job_whose_metadata_are_wrong_ends_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(call_module, "_join", AsyncMock(return_value=True))
    job = job_with(json.dumps({"phone_number": NUMBER, "phone_menu": "shout"}))
    job.is_fake_job, job.shutdown, job.delete_room = lambda: False, Mock(), AsyncMock()
    nothing: Any = None
    await call_module.run_call(job, nothing, nothing, nothing, settings())
    assert "a call was not placed: the metadata of its dispatch are wrong: phone_menu" in caplog.text
    assert (job.delete_room.await_count, job.shutdown.call_count) == (1, 1)


@pytest.mark.parametrize("is_placed", [True, False])
async def test_call_that_could_not_be_placed_is_ended(is_placed: bool) -> None:
    async def placed() -> bool:
        return is_placed

    events: rtc.EventEmitter[str] = rtc.EventEmitter()
    session: Any = SimpleNamespace(once=events.once, shutdown=Mock())
    close_room = AsyncMock()
    end_unless(placed(), session, close_room)
    await (settle() if is_placed else until(lambda: session.shutdown.called))
    assert close_room.await_count == session.shutdown.call_count == (0 if is_placed else 1)


async def test_placing_a_call_makes_a_room_with_the_agent_and_the_number() -> None:
    livekit: Any = AsyncMock()
    name = await place_call(livekit, "sales", "+49 30 123456", metadata={"order": 42})
    (request,) = [call.args[0] for call in livekit.room.create_room.await_args_list]
    (agent,) = request.agents
    assert (request.name, agent.agent_name) == (name, "sales")
    assert json.loads(agent.metadata) == {"order": 42, "phone_number": NUMBER}
    assert number_to_dial(agent.metadata) == NUMBER


async def test_call_to_something_else_than_a_number_is_not_placed() -> None:
    livekit: Any = AsyncMock()
    with pytest.raises(BadPhoneNumberError):
        await place_call(livekit, "sales", "Paul")
    livekit.room.create_room.assert_not_awaited()


def handling(metadata: dict[str, Any], **given: Any) -> Any:
    job = job_with(json.dumps({"phone_number": NUMBER, **metadata}))
    call = outbound_call(job, settings(**given))
    assert call
    return call.handling


def test_machines_are_treated_as_the_settings_say() -> None:
    assert handling({"order": 42}).answering_machine == "hang_up"
    given = handling({}, sip_answering_machine="leave_message", sip_voicemail_message="Call us.", sip_phone_menu="talk")
    assert (given.answering_machine, given.voicemail_message, given.phone_menu) == ("leave_message", "Call us.", "talk")


def test_metadata_of_a_dispatch_override_the_settings_in_this_call() -> None:
    given = handling({"voicemail_message": " Hello Paul. ", "phone_menu": "hang_up"})
    assert (given.answering_machine, given.voicemail_message, given.phone_menu) == (
        "leave_message",
        "Hello Paul.",
        "hang_up",
    )
    assert handling({"answering_machine": "talk"}).answering_machine == "talk"


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"answering_machine": "shout s3cret"}, "answering_machine"),
        ({"answering_machine": "leave_message"}, "leave_message needs a voicemail_message"),
        ({"voicemail_message": "s3cret" * 1000}, "voicemail_message"),
        ({"voicemail_message": " "}, "voicemail_message"),
        ({"phone_menu": ["s3cret"]}, "phone_menu"),
    ],
)
def test_call_with_a_wrong_handling_of_machines_is_not_placed(metadata: dict[str, Any], named: str) -> None:
    with pytest.raises(BadDispatchError, match=named) as caught:
        handling(metadata)
    assert "s3cret" not in str(caught.value)
