"""Put a telephone caller through to a person: a tool of the main model, with LiveKit's SIP REFER."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from google.protobuf.duration_pb2 import Duration
from livekit import api, rtc
from livekit.agents import FunctionTool, RunContext, ToolError, function_tool

from agent_worker.core.log import logger
from agent_worker.room.phone import is_phone
from agent_worker.text import messages

TOOL_NAME = "transfer_to_human"
_DESCRIPTION = (
    "Put the caller through to a person. Call it when the caller asks for a person, or when you cannot help. The "
    "caller is told that they are put through: say nothing yourself. If it fails, the conversation goes on."
)
#: LiveKit's SIP server may need so much longer than the telephone rings.
_ANSWER_MARGIN_S = 5.0

Refer = Callable[[api.TransferSIPParticipantRequest, float], Awaitable[api.TransferSIPParticipantResponse]]
"""Sends the request, and waits for so many seconds for its outcome."""


class TransferFailedError(Exception):
    """Nobody took the call, or it could not be put through."""


class HumanTransfer:
    """Puts the caller of one call through to a fixed target.

    Args:
        room_name: Name of the room.
        target: Whom to call: a ``tel:`` or ``sip:`` address.
        ringing_s: How long the target's telephone may ring, seconds.
        refer: Sends the request to LiveKit's server.
        caller: Returns the participant that the agent listens to.
        language: Of the sentences that the caller hears.
        on_transferred: Is called when the caller has been put through.
    """

    def __init__(
        self,
        room_name: str,
        target: str,
        ringing_s: float,
        refer: Refer,
        caller: Callable[[], rtc.RemoteParticipant | None],
        language: str,
        on_transferred: Callable[[], None],
    ) -> None:
        self._room_name = room_name
        self._target = target
        self._ringing_s = ringing_s
        self._refer = refer
        self._caller = caller
        self._language = language
        self._on_transferred = on_transferred
        self.tool: FunctionTool[Any, Any] = self._make_tool()

    def use_language(self, language: str) -> None:
        """Speak another language."""
        self._language = language

    def _make_tool(self) -> FunctionTool[Any, Any]:
        @function_tool(name=TOOL_NAME, description=_DESCRIPTION)
        async def transfer_to_human(context: RunContext[Any]) -> None:
            await self.run(context)

        return transfer_to_human

    async def run(self, context: RunContext[Any]) -> None:
        """Say so, put the caller through and wait; come back if it fails.

        Raises:
            ToolError: If the caller was not put through; the main model reads the text.
        """
        caller = self._caller()
        if caller is None or not is_phone(caller):
            raise ToolError("Not transferred: the caller is not on a telephone. Go on helping yourself.")
        try:
            context.disallow_interruptions()
        except RuntimeError:
            raise ToolError("Not transferred: the caller has interrupted you.") from None
        await _say(context, messages.transfer(self._language))
        try:
            await self._transfer(caller.identity)
        except TransferFailedError as error:
            logger.warning("a caller was not put through: %s", str(error))  # of an error itself the log keeps the type
            told = messages.transfer_failed(self._language)
            await _say(context, told)
            heard = f' The caller was told: "{told}"' if told else ""
            raise ToolError(f"Not transferred: nobody could be reached.{heard} Go on helping yourself.") from None
        self._on_transferred()

    async def _transfer(self, identity: str) -> None:
        request = api.TransferSIPParticipantRequest(
            room_name=self._room_name,
            participant_identity=identity,
            transfer_to=self._target,
            play_dialtone=True,
            ringing_timeout=Duration(seconds=round(self._ringing_s)),
        )
        limit_s = self._ringing_s + _ANSWER_MARGIN_S
        try:
            answer = await asyncio.wait_for(self._refer(request, limit_s), limit_s)
        except (api.ServerError, aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise TransferFailedError(_reason(error)) from None
        if answer.status == api.SIPTransferStatus.STS_TRANSFER_FAILED:
            raise TransferFailedError("the target did not take the call")


def _reason(error: Exception) -> str:
    """Return why LiveKit did not put a caller through, without the words of its answer, which may hold the target."""
    if isinstance(error, api.SipCallError) and error.sip_status_code is not None:
        return f"SIP status {error.sip_status_code}"
    if isinstance(error, api.SipCallError) and error.sip_transfer_reason is not None:
        return error.sip_transfer_reason
    return f"LiveKit's API answered {error.code}" if isinstance(error, api.ServerError) else type(error).__name__


async def _say(context: RunContext[Any], sentence: str) -> None:
    """Say a sentence to its end; nothing if it is empty, as in a language without texts."""
    if sentence:
        await context.session.say(sentence, allow_interruptions=False)
