"""A caller who asks for an agent by its name."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from livekit import api, rtc
from livekit.protocol import agent

from caller.agent_audio import AgentAudioMonitor
from caller.clock import Clock
from caller.dispatch import ensure_dispatched, place
from caller.errors import RoomError
from caller.options import CallOptions, Keys
from caller.room_connection import RoomConnection

OPTIONS = CallOptions(
    utterances=[],
    url="wss://user:secret@livekit.example",
    api_key="k",
    api_secret="s",
    agent_name="guide",
    agent_metadata="{}",
)


def dispatched(name: str, *statuses: agent.JobStatus) -> api.AgentDispatch:
    jobs = [agent.Job(state=agent.JobState(status=status)) for status in statuses]
    return api.AgentDispatch(agent_name=name, room="museum", state={"jobs": jobs})


async def dispatch_requests(*present: api.AgentDispatch, error: Exception | None = None) -> list[Any]:
    """Ask for the guide in a room with these dispatches; return the requests for another one."""
    livekit: Any = AsyncMock()
    livekit.agent_dispatch.list_dispatch.return_value = list(present)
    livekit.agent_dispatch.create_dispatch.side_effect = error
    await ensure_dispatched(
        OPTIONS, "museum", connect=lambda _: contextlib.nullcontext(cast("api.LiveKitAPI", livekit))
    )
    return [call.args[0] for call in livekit.agent_dispatch.create_dispatch.await_args_list]


async def test_agent_is_dispatched_by_its_name_with_the_metadata() -> None:
    (request,) = await dispatch_requests(dispatched("tour guide", agent.JS_RUNNING))
    assert (request.agent_name, request.room, request.metadata) == ("guide", "museum", "{}")


@pytest.mark.parametrize("status", [agent.JS_PENDING, agent.JS_RUNNING])
async def test_agent_that_is_there_or_on_its_way_is_not_dispatched_again(status: agent.JobStatus) -> None:
    assert await dispatch_requests(dispatched("guide", status)) == []


@pytest.mark.parametrize("statuses", [[], [agent.JS_SUCCESS], [agent.JS_FAILED]])
async def test_dispatch_that_brings_nobody_is_made_again(statuses: list[agent.JobStatus]) -> None:
    assert len(await dispatch_requests(dispatched("guide", *statuses))) == 1


async def test_server_that_refuses_is_named_without_its_password() -> None:
    with pytest.raises(RoomError, match=r"livekit\.example: the agent guide could not be dispatched") as raised:
        await dispatch_requests(error=api.ServerError("permission_denied", "no", status=403))
    assert "secret" not in str(raised.value).replace("LIVEKIT_API_SECRET", "")


@pytest.mark.parametrize(
    ("attributes", "meant"),
    [({"lk.agent.name": "guide"}, True), ({"lk.agent.name": "tour guide"}, False), ({}, True)],
)
async def test_agent_of_another_name_is_not_the_one(attributes: dict[str, str], meant: bool) -> None:
    connection = RoomConnection(Clock(), AgentAudioMonitor(Clock()), "guide")
    participant: Any = AsyncMock(kind=rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, attributes=attributes)
    connection.room.emit("participant_connected", participant)
    assert connection.present is meant


def test_name_without_credentials_is_refused() -> None:
    options = CallOptions(utterances=[], url="ws://localhost", token="t", api_key="", api_secret="", agent_name="guide")
    assert any(problem.startswith("--agent-name needs credentials") for problem in options.problems())


def test_metadata_without_a_name_are_refused() -> None:
    options = CallOptions(utterances=[], url="ws://localhost", token="t", agent_metadata="{}")
    assert any(problem.startswith("--agent-metadata is for a dispatch") for problem in options.problems())


async def test_caller_places_a_call_in_a_room_of_its_own() -> None:
    livekit: Any = AsyncMock()
    given = dataclasses.replace(OPTIONS, dial="+4930123456", agent_metadata='{"order": 42}')
    assert given.problems() == []
    room = await place(given, connect=lambda _: contextlib.nullcontext(cast("api.LiveKitAPI", livekit)))
    (request,) = [call.args[0] for call in livekit.room.create_room.await_args_list]
    assert (request.name, request.agents[0].agent_name) == (room, "guide")
    assert json.loads(request.agents[0].metadata) == {"order": 42, "phone_number": "+4930123456"}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"dial": "Paul"}, "--dial is no telephone number"),
        ({"agent_name": "", "agent_metadata": ""}, "--dial needs the agent who calls"),
        ({"token": "t"}, "--dial only places a call"),
        ({"utterances": [Keys("1")]}, "--dial only places a call"),
        ({"agent_metadata": "42"}, "--agent-metadata is no JSON object"),
        ({"agent_metadata": "{"}, "--agent-metadata is no JSON object"),
    ],
)
def test_call_that_cannot_be_placed_is_refused(changed: dict[str, Any], problem: str) -> None:
    given = dataclasses.replace(OPTIONS, **{"dial": "+4930123456", **changed})
    assert [line for line in given.problems() if line.startswith(problem)]
