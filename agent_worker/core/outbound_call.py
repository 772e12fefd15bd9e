"""Calls that the agent makes: a dispatch whose metadata hold a telephone number, which the agent then dials.

As in LiveKit's outbound example: the metadata are a JSON object with ``phone_number``. Only who has the API key can
make such a dispatch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from uuid import uuid4

from livekit import api

PHONE_NUMBER_KEY = "phone_number"
#: How long the room of a call waits for its agent, and for the phone.
_EMPTY_TIMEOUT_S = 60
_NUMBER = re.compile(r"\+?[0-9]{3,15}")


class BadPhoneNumberError(ValueError):
    """A text is no telephone number."""


def checked_number(number: object) -> str:
    """Return a telephone number without the signs between its digits.

    Raises:
        BadPhoneNumberError: If it is none; the message does not quote it.
    """
    plain = re.sub(r"[\s()./-]", "", number) if isinstance(number, str) else ""
    if not _NUMBER.fullmatch(plain):
        raise BadPhoneNumberError("is no telephone number: write it with the country's code, such as +4930123456")
    return plain


def number_to_dial(metadata: str) -> str | None:
    """Return the telephone number in the metadata of a job; None if there is none.

    Raises:
        BadPhoneNumberError: If there is something else in its place.
    """
    try:
        values = json.loads(metadata)
    except (ValueError, RecursionError):
        return None  # metadata of another kind
    if not isinstance(values, dict) or PHONE_NUMBER_KEY not in values:
        return None
    return checked_number(values[PHONE_NUMBER_KEY])


async def place_call(
    livekit: api.LiveKitAPI,
    agent_name: str,
    phone_number: str,
    *,
    room: str | None = None,
    metadata: Mapping[str, object] | None = None,
) -> str:
    """Have an agent call a telephone: make a room and dispatch the agent to it, which dials.

    Args:
        livekit: A client of LiveKit's API.
        agent_name: The ``AGENT_NAME`` of the worker, which needs ``SIP_OUTBOUND_TRUNK``.
        phone_number: The telephone.
        room: The name of the room. Default: a new one.
        metadata: What else the metadata of the job hold, for your own agent; values that JSON can hold.

    Returns:
        The name of the room, in which the call can be followed.

    Raises:
        BadPhoneNumberError: If ``phone_number`` is none.
        livekit.api.ServerError: If the server refuses.
    """
    name = room or f"outbound-{uuid4().hex}"
    values = {**(metadata or {}), PHONE_NUMBER_KEY: checked_number(phone_number)}
    request = api.CreateRoomRequest(name=name, empty_timeout=_EMPTY_TIMEOUT_S)
    request.agents.append(api.RoomAgentDispatch(agent_name=agent_name, metadata=json.dumps(values)))
    await livekit.room.create_room(request)
    return name
