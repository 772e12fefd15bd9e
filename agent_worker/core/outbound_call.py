"""Calls that the agent makes: a dispatch whose metadata hold a telephone number, which the agent then dials.

As in LiveKit's outbound example: the metadata are a JSON object with ``phone_number``. It may say what is done with an
answering machine or a phone menu in this call. Only who has the API key can make such a dispatch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import uuid4

from livekit import api
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent_worker.core.settings import MAX_VOICEMAIL_CHARS, MachineAction, MenuAction, Settings, Text

PHONE_NUMBER_KEY = "phone_number"
#: How long the room of a call waits for its agent, and for the phone.
_EMPTY_TIMEOUT_S = 60
_NUMBER = re.compile(r"\+?[0-9]{3,15}")


class BadPhoneNumberError(ValueError):
    """A text is no telephone number."""


class BadMachineHandlingError(ValueError):
    """The metadata of a dispatch say in a wrong way what is done with a machine."""


class MachineHandling(BaseModel):
    """What is done in one call if no person answers it.

    Attributes:
        answering_machine: What is done with an answering machine.
        voicemail_message: What is said to it; given if it is said.
        phone_menu: What is done with a phone menu.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    answering_machine: MachineAction
    voicemail_message: Annotated[Text, Field(max_length=MAX_VOICEMAIL_CHARS)] | None = None
    phone_menu: MenuAction

    @property
    def is_as_with_a_person(self) -> bool:
        """Whether it makes no difference who has answered."""
        return self.answering_machine == self.phone_menu == "talk"


def machine_handling(metadata: str, settings: Settings) -> MachineHandling:
    """Return what is done with a machine: as the metadata of the job say, else as the settings do.

    A ``voicemail_message`` in the metadata alone means that it is left.

    Raises:
        BadMachineHandlingError: If a value of the metadata is wrong; the message does not quote it.
    """
    own = _json_object(metadata)
    if own.get("voicemail_message") is not None:
        own = {"answering_machine": "leave_message", **own}
    usual = {
        "answering_machine": settings.sip_answering_machine,
        "voicemail_message": settings.sip_voicemail_message,
        "phone_menu": settings.sip_phone_menu,
    }
    try:
        handling = MachineHandling.model_validate({**usual, **own})
    except ValidationError as error:
        names = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors()}))
        raise BadMachineHandlingError(f"{names}: see docs/telephony.md") from None
    if handling.answering_machine == "leave_message" and handling.voicemail_message is None:
        raise BadMachineHandlingError("answering_machine: leave_message needs a voicemail_message")
    return handling


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
    values = _json_object(metadata)
    return checked_number(values[PHONE_NUMBER_KEY]) if PHONE_NUMBER_KEY in values else None


def _json_object(metadata: str) -> dict[str, Any]:
    """Return the JSON object that metadata are; an empty one for metadata of another kind."""
    try:
        values = json.loads(metadata)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


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
        metadata: What else the metadata of the job hold; values that JSON can hold. ``answering_machine``,
            ``voicemail_message`` and ``phone_menu`` override the settings in this call, others are for your own agent.

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
