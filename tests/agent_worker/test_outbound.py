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

from agent_worker.core.outbound_call import BadPhoneNumberError, number_to_dial, place_call
from agent_worker.lifecycle.outbound import dial_as_asked, end_unless
from tests.agent_worker.telephones import FakeRoom, participant, phone
from tests.waiting import settle, until

NUMBER = "+4930123456"
METADATA = json.dumps({"phone_number": NUMBER})


def job_with(metadata: str, *present: Any, error: Exception | None = None) -> Any:
    job: Any = SimpleNamespace(job=SimpleNamespace(metadata=metadata), room=FakeRoom(*present), api=AsyncMock())
    job.api.sip.create_sip_participant.side_effect = error
    return job


def dialled(job: Any) -> list[Any]:
    return [call.args[0] for call in job.api.sip.create_sip_participant.await_args_list]


async def test_agent_dials_the_number_of_its_metadata_and_waits_for_the_answer() -> None:
    job = job_with(METADATA)
    assert await dial_as_asked(job, "ST_1", 25.0)
    (request,) = dialled(job)
    assert (request.sip_call_to, request.sip_trunk_id, request.room_name) == (NUMBER, "ST_1", "museum")
    assert (request.wait_until_answered, request.ringing_timeout.seconds) == (True, 25)


async def test_number_is_no_part_of_what_the_room_shows() -> None:
    job = job_with(METADATA)
    await dial_as_asked(job, "ST_1", 25.0)
    (request,) = dialled(job)
    assert request.hide_phone_number
    assert NUMBER not in request.participant_identity + request.participant_name


@pytest.mark.parametrize("metadata", ["", "{", "[]", '"+4930123456"', '{"order": 42}', "[" * 100_000])
async def test_other_metadata_call_nobody(metadata: str) -> None:
    job = job_with(metadata)
    assert await dial_as_asked(job, "ST_1", 25.0)
    assert dialled(job) == []


@pytest.mark.parametrize(
    "number", ["", "911x", "sip:me@example.org", "12", "1" * 16, 4930123456, None, ["+493012"], "+٤٩٣٠١٢٣"]
)
async def test_what_is_no_telephone_number_is_not_dialled(number: Any, caplog: pytest.LogCaptureFixture) -> None:
    job = job_with(json.dumps({"phone_number": number}))
    assert not await dial_as_asked(job, "ST_1", 25.0)
    assert dialled(job) == []
    assert "a call was not placed: phone_number in the metadata of its dispatch is no telephone number" in caplog.text
    assert "example.org" not in caplog.text


def test_signs_between_the_digits_are_left_out() -> None:
    assert number_to_dial('{"phone_number": "+49 (30) 123-456"}') == NUMBER


async def test_without_a_trunk_nobody_is_called(caplog: pytest.LogCaptureFixture) -> None:
    job = job_with(METADATA)
    assert not await dial_as_asked(job, None, 25.0)
    assert dialled(job) == []
    assert "SIP_OUTBOUND_TRUNK is not set" in caplog.text


async def test_agent_that_takes_the_place_of_a_dead_one_does_not_dial_again() -> None:
    job = job_with(METADATA, phone(status="active"))
    assert await dial_as_asked(job, "ST_1", 25.0)
    assert dialled(job) == []


async def test_somebody_else_in_the_room_does_not_keep_the_agent_from_dialling() -> None:
    job = job_with(METADATA, participant("supervisor"))
    await dial_as_asked(job, "ST_1", 25.0)
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
    assert not await dial_as_asked(job_with(METADATA, error=error), "ST_1", 25.0)
    assert said in caplog.text
    assert NUMBER not in caplog.text


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
