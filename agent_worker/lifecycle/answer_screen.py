"""Find out who has answered a call that the agent placed, and treat a machine as the settings say.

livekit-agents' detector decides, by the pauses and by what the main model makes of the words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from livekit.agents import AgentSession, AMDCategory

from agent_worker.core.compat.livekit import AnswerDetector
from agent_worker.core.log import logger
from agent_worker.core.outbound_call import MachineHandling
from agent_worker.lifecycle.call_end import CallEnd
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.room.key_press import press_keys_tool
from agent_worker.telemetry import metrics
from agent_worker.turn_taking.call_silence import CallSilence
from agent_worker.turn_taking.loudness import quiet_s

#: Who speaks all the time, or is behind a noise, is treated as a person after it.
_MAX_DECISION_S = 30.0
#: Silence between the greeting of an answering machine, or the tone after it, and the message.
_QUIET_S = 1.5
#: How long the machine may speak after it was recognised.
_MAX_GREETING_S = 60.0

_ANSWERED_BY: dict[AMDCategory, metrics.AnsweredBy] = {
    AMDCategory.HUMAN: "person",
    AMDCategory.MACHINE_VM: "machine",
    AMDCategory.MACHINE_UNAVAILABLE: "machine",
    AMDCategory.MACHINE_IVR: "menu",
    AMDCategory.UNCERTAIN: "unknown",
}

T = TypeVar("T")


class AnswerScreen:
    """Stands between the answer of one call and the agent, which says nothing until it is known who has answered.

    Args:
        session: The call's session, started.
        agent: Its agent.
        handling: What is done with a machine.
        end: Ends the call.
        is_greeted: Whether a person is greeted. If not, what they have said meanwhile is answered.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        agent: PreResponseAgent,
        handling: MachineHandling,
        end: CallEnd,
        *,
        is_greeted: bool,
    ) -> None:
        self._session = session
        self._agent = agent
        self._handling = handling
        self._end = end
        self._is_greeted = is_greeted
        self._clock = agent.floor.clock
        self._has_held_turn = False
        self.awaits_person = True
        """Whether no person is known to listen: who has answered is not known yet, or a menu has."""

    async def admits(self) -> bool:
        """Return whether the call begins as with a person; what is done otherwise has been done then."""
        self._agent.is_held_back = True
        self._agent.events.emit("turns_held")
        answered_by: metrics.AnsweredBy = "unknown"
        try:
            async with AnswerDetector(self._session) as detector:
                category = await self._within(_MAX_DECISION_S, detector.category()) or AMDCategory.UNCERTAIN
                answered_by = _ANSWERED_BY[category]
                logger.info("a call was answered by: %s", answered_by)
                action = self._action(category)
                if action == "leave_message":
                    await self._leave_message()
                if action in ("hang_up", "leave_message"):
                    self._end.begin("machine")
                    return False
                await self._take_over(detector)
            self._agent.events.emit("turns_released")
        except RuntimeError as error:  # the session has ended meanwhile
            logger.info("a call has ended before it was dealt with who had answered: %s", error)
            return False
        finally:
            metrics.OUTBOUND_CALLS_ANSWERED.labels(answered_by).inc()
            self._agent.is_held_back = False
        if action == "press_keys":
            await self._let_press_keys()
            return False
        self.awaits_person = False
        return True

    def answer_held_turn(self) -> None:
        """Answer what was said while it was not known who had answered."""
        if self._has_held_turn:
            self._session.generate_reply()

    def _action(self, category: AMDCategory) -> str:
        if category is AMDCategory.MACHINE_IVR:
            return self._handling.phone_menu
        if category is AMDCategory.MACHINE_VM:
            return self._handling.answering_machine
        if category is AMDCategory.MACHINE_UNAVAILABLE:  # it takes no message
            return "talk" if self._handling.answering_machine == "talk" else "hang_up"
        return "talk"

    async def _take_over(self, detector: AnswerDetector) -> None:
        """See to it that the turns so far are in the history, and that the greeting is the answer to all of them."""
        await detector.turns_ended()
        self._has_held_turn = detector.has_held_turn
        if self._is_greeted and (self._agent.caller_transcript.text or not self._has_held_turn):
            self._session.clear_user_turn()
            self._agent.caller_transcript.end_turn()

    async def _leave_message(self) -> None:
        if await self._within(_MAX_GREETING_S, self._quiet()) is None:
            logger.info("no message was left: the machine did not fall silent")
            return
        await self._session.say(self._handling.voicemail_message or "", allow_interruptions=False)

    async def _quiet(self) -> bool:
        """Return when nothing has been heard for a while, neither a voice nor a tone."""
        silence = CallSilence(self._clock)
        silence.watch(self._session)
        await silence.wait(lambda since: since + _QUIET_S)
        while (left_s := _QUIET_S - quiet_s(self._agent.audio_levels())) > 0:
            await self._clock.sleep(left_s)
            await silence.wait(lambda since: since + _QUIET_S)
        return True

    async def _let_press_keys(self) -> None:
        self._agent.strategy = None
        self._agent.dead_air.use_fillers(())
        await self._agent.add_tool(press_keys_tool())
        self.answer_held_turn()

    async def _within(self, limit_s: float, work: Coroutine[Any, Any, T]) -> T | None:
        """Return the result of ``work``; ``None`` if there is none in time."""
        task, limit = asyncio.ensure_future(work), asyncio.ensure_future(self._sleep(limit_s))
        try:
            await asyncio.wait([task, limit], return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            limit.cancel()

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
