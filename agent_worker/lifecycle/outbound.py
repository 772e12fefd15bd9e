"""Dial the telephone that the metadata of a job name (``core/outbound_call.py``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from google.protobuf.duration_pb2 import Duration
from livekit import api
from livekit.agents import AgentSession, JobContext

from agent_worker.core.log import logger
from agent_worker.core.outbound_call import (
    PHONE_NUMBER_KEY,
    BadMachineHandlingError,
    BadPhoneNumberError,
    MachineHandling,
    machine_handling,
    number_to_dial,
)
from agent_worker.core.settings import Settings
from agent_worker.room.phone import is_phone

#: The identity of the phone in the room: not its number, which LiveKit and the worker would write to their logs.
PHONE_IDENTITY = "phone"


async def dial(livekit: api.LiveKitAPI, room: str, number: str, *, trunk: str | None, ringing_timeout_s: float) -> bool:
    """Call a telephone into a room; return whether it was answered.

    Args:
        livekit: A client of LiveKit's API.
        room: The room.
        number: The telephone.
        trunk: LiveKit's id of the outbound trunk. Without one, nobody is called.
        ringing_timeout_s: How long it may ring.
    """
    if trunk is None:
        logger.error("a call was not placed: SIP_OUTBOUND_TRUNK is not set")
        return False
    request = api.CreateSIPParticipantRequest(
        room_name=room,
        sip_trunk_id=trunk,
        sip_call_to=number,
        participant_identity=PHONE_IDENTITY,
        hide_phone_number=True,
        wait_until_answered=True,
        ringing_timeout=Duration(seconds=round(ringing_timeout_s)),
    )
    try:
        await livekit.sip.create_sip_participant(request)
    except api.SipCallError as error:
        logger.info("a call was not answered: SIP status %s", error.sip_status_code)
    except (api.ServerError, aiohttp.ClientError, asyncio.TimeoutError) as error:
        reason = error.code if isinstance(error, api.ServerError) else type(error).__name__
        logger.error("a call could not be placed: LiveKit's API answered %s", reason)
    else:
        return True
    return False


@dataclass(frozen=True)
class OutboundCall:
    """A call that the agent is to place.

    Attributes:
        number: The telephone.
        handling: What is done if no person answers it.
    """

    number: str
    handling: MachineHandling


class BadDispatchError(ValueError):
    """The metadata of a dispatch ask for a call that cannot be placed."""


def outbound_call(job: JobContext, settings: Settings) -> OutboundCall | None:
    """Return the call that the metadata of a job ask for; ``None`` if there is none to place.

    A phone that is in the room already has been called, by an agent in whose place this one has come.

    Args:
        job: The job, connected to its room.
        settings: What is done with machines, unless the metadata say otherwise.

    Raises:
        BadDispatchError: If the metadata are wrong.
    """
    metadata = job.job.metadata
    try:
        number = number_to_dial(metadata)
        if number is None or any(map(is_phone, job.room.remote_participants.values())):
            return None
        return OutboundCall(number, machine_handling(metadata, settings))
    except BadPhoneNumberError as error:
        raise BadDispatchError(f"{PHONE_NUMBER_KEY} in the metadata of its dispatch {error}") from None
    except BadMachineHandlingError as error:
        raise BadDispatchError(f"the metadata of its dispatch are wrong: {error}") from None


def end_unless(placed: Awaitable[bool], session: AgentSession[Any], close_room: Callable[[], Awaitable[Any]]) -> None:
    """End the call if it could not be placed: nobody is there to say goodbye to."""

    async def run() -> None:
        if not await placed:
            await close_room()
            session.shutdown(drain=False)

    task = asyncio.create_task(run(), name="dial")
    session.once("close", lambda _: task.cancel())
