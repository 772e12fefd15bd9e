"""End a call with a farewell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import AgentSession, CloseEvent, CloseReason

from agent_worker.core.log import logger
from agent_worker.telemetry import metrics
from agent_worker.text.messages import farewell, silence_farewell

#: From the end of the farewell to the end of the call: its last sound is still on its way to the caller.
_LINGER_S = 0.5
#: How long the farewell may take: the TTS may be down.
_FAREWELL_TIMEOUT_S = 15.0

#: Why a call ends, for the log.
_REASONS: dict[metrics.AgentEndReason, str] = {
    "duration": "it has reached CALL_MAX_SECONDS",
    "tokens": "it has reached CALL_MAX_TOKENS",
    "cost": "it has reached CALL_MAX_COST_USD",
    "silence": "it has reached CALLER_SILENCE_MAX_SECONDS",
    "unanswered": "the caller has not answered in SILENCE_PROMPT_DELAY",
    "goodbye": "both sides have said goodbye",
    "machine": "a machine has answered it",
}


def _no_sentence(_: str) -> str:
    return ""


#: What is said last, by language; after any other reason it is ``farewell``.
_FAREWELLS: dict[metrics.AgentEndReason, Callable[[str], str]] = {
    "silence": silence_farewell,
    "unanswered": silence_farewell,
    "goodbye": _no_sentence,
    "machine": _no_sentence,
}

#: Calls that the agent did not end, by why livekit-agents closed the session.
_REASONS_OF_OTHERS: dict[CloseReason, metrics.CallEndReason] = {
    CloseReason.PARTICIPANT_DISCONNECTED: "caller_left",
    CloseReason.ERROR: "error",
}


class CallEnd:
    """Ends a call once: says goodbye and closes the room, unless the session has ended by then.

    Args:
        session: The call's session. It is shut down at the end.
        language: Of the farewell. Without one in it, nothing is said.
        close_room: Closes the room; may do nothing where there is none, as on the console.
        stop_text_input: Stops taking the caller's texts, before the farewell.
        is_counted: Whether the call counts.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        language: str,
        close_room: Callable[[], Awaitable[Any]],
        *,
        stop_text_input: Callable[[], None] = lambda: None,
        is_counted: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._session = session
        self._language = language
        self._close_room = close_room
        self._stop_text_input = stop_text_input
        self._is_counted = is_counted
        self._sleep = sleep
        self._closed = False
        self._is_transferred = False
        self._task: asyncio.Task[None] | None = None
        session.once("close", self._on_close)

    def use_language(self, language: str) -> None:
        """Say the farewell in another language."""
        self._language = language

    def expect_transfer(self) -> None:
        """The caller has been put through to a person, and is about to leave the room."""
        self._is_transferred = True

    def begin(self, reason: metrics.AgentEndReason) -> None:
        """Begin to end the call. Later calls, and those after the end of the session, do nothing."""
        if self._task or self._closed:
            return
        self._count(reason)
        logger.info("a call is ended: %s", _REASONS[reason])
        sentence = _FAREWELLS.get(reason, farewell)(self._language)
        self._task = asyncio.create_task(self._end(sentence), name="call_end")

    def _on_close(self, event: CloseEvent) -> None:
        self._closed = True
        if self._task:
            self._task.cancel()
        elif reason := _REASONS_OF_OTHERS.get(event.reason):
            self._count("transferred" if self._is_transferred else reason)

    def _count(self, reason: metrics.CallEndReason) -> None:
        if self._is_counted:
            metrics.CALLS_ENDED.labels(reason).inc()

    async def _end(self, sentence: str) -> None:
        self._session.input.set_audio_enabled(False)  # what the caller says or types now would cost more
        self._stop_text_input()
        try:
            await asyncio.wait_for(self._say(sentence), _FAREWELL_TIMEOUT_S)
            await self._sleep(_LINGER_S)
        except (asyncio.TimeoutError, RuntimeError) as error:
            logger.warning("a call is ended without a farewell: %s", type(error).__name__)
        await asyncio.shield(asyncio.ensure_future(self._close_room()))  # closes the session, which cancels this task
        self._session.shutdown(drain=False)  # the room could not be closed, or there is none

    async def _say(self, sentence: str) -> None:
        await self._session.interrupt()
        if sentence:
            await self._session.say(sentence, allow_interruptions=False)
