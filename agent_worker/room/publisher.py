"""What a call tells its room, so that a page or a test can show it, and what it lets the caller choose."""

from __future__ import annotations

import asyncio
import json
from typing import Any, get_args

from livekit import rtc
from livekit.agents import AgentSession

from agent_worker.core.log import logger
from agent_worker.core.settings import Settings, StrategyName
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.room.topics import PRERESPONSE_TOPIC, SET_STRATEGY, STRATEGY_ATTRIBUTE, TURN_TOPIC
from agent_worker.telemetry.record import TurnRecord
from agent_worker.telemetry.usage_meter import make_preresponse_series

STRATEGY_NAMES = get_args(StrategyName)


class RoomLink:
    """Sends what happens to the room as text streams (``agent_worker.room.topics``), and turn records to the log."""

    def __init__(self, room: rtc.Room, settings: Settings) -> None:
        self._room = room
        self._log = settings.turn_log
        self._sending: set[asyncio.Task[None]] = set()

    def publish_turn(self, record: TurnRecord) -> None:
        if self._log != "off":
            logger.info("turn", extra={"turn_record": record.as_dict(words=self._log == "full")})
        self._publish(TURN_TOPIC, record.as_dict())

    def publish_preresponse(self, text: str, source: str) -> None:
        self._publish(PRERESPONSE_TOPIC, {"text": text, "source": source})

    async def let_caller_choose_strategy(self, session: AgentSession[Any], agent: PreResponseAgent) -> None:
        """Take a strategy's name from the caller, from the next turn on. Call it after ``session.start``."""
        me = self._room.local_participant

        async def set_strategy(request: rtc.RpcInvocationData) -> str:
            caller = session.room_io.linked_participant
            if caller is None or request.caller_identity != caller.identity:
                raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "only the caller may choose the strategy")
            name: StrategyName | None = next((known for known in STRATEGY_NAMES if known == request.payload), None)
            if name is None:
                choices = ", ".join(STRATEGY_NAMES)
                raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, f"no such strategy: use one of {choices}")
            make_preresponse_series(name)
            agent.strategy = name
            await me.set_attributes({STRATEGY_ATTRIBUTE: name})
            return name

        me.register_rpc_method(SET_STRATEGY, set_strategy)
        await me.set_attributes({STRATEGY_ATTRIBUTE: agent.strategy.name if agent.strategy else "off"})

    def _publish(self, topic: str, content: dict[str, Any]) -> None:
        task = asyncio.create_task(self._send(topic, json.dumps(content)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, topic: str, text: str) -> None:
        try:
            await self._room.local_participant.send_text(text, topic=topic)
        except Exception as error:  # the room may be closing; what a page shows is never worth a call
            logger.debug("%s not sent: %s", topic, error)
