"""Let the caller choose the pre-response strategy by a remote procedure call."""

from __future__ import annotations

from typing import Any, get_args

from livekit import rtc
from livekit.agents import AgentSession

from agent_worker.core.settings import StrategyName
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.room.topics import SET_STRATEGY, STRATEGY_ATTRIBUTE
from agent_worker.telemetry.session_meter import create_preresponse_series

STRATEGY_NAMES: tuple[StrategyName, ...] = get_args(StrategyName)


async def let_caller_choose_strategy(room: rtc.Room, session: AgentSession[Any], agent: PreResponseAgent) -> None:
    """Register the procedure and publish the strategy in force. Call it after ``session.start``.

    A new strategy takes effect in the next turn. Other participants than the caller are refused.
    """
    participant = room.local_participant

    async def set_strategy(request: rtc.RpcInvocationData) -> str:
        caller = session.room_io.linked_participant
        if caller is None or request.caller_identity != caller.identity:
            raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "only the caller may choose the strategy")
        name = next((known for known in STRATEGY_NAMES if known == request.payload), None)
        if name is None:
            choices = ", ".join(STRATEGY_NAMES)
            raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, f"unknown strategy: use one of {choices}")
        create_preresponse_series(name)
        agent.strategy = name
        await participant.set_attributes({STRATEGY_ATTRIBUTE: name})
        return name

    participant.register_rpc_method(SET_STRATEGY, set_strategy)
    await participant.set_attributes({STRATEGY_ATTRIBUTE: agent.strategy_name})
