"""Run turns of an agent without audio and without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from livekit.agents import AgentSession, llm

from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.telemetry.record import split_reply
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.testing.llm import ScriptedLLM


@dataclass(frozen=True)
class TurnResult:
    """What the agent did in a turn.

    Attributes:
        preresponse: The text of the pre-response; ``None`` if there was none.
        answer: The text of the answer.
        messages: The agent's messages in the chat history.
        trace: The engine's trace: strategy, intent, outcome, instants.
    """

    preresponse: str | None
    answer: str
    messages: list[llm.ChatMessage]
    trace: TurnTrace | None


class Conversation:
    """A running session without audio.

    Attributes:
        session: The session.
    """

    def __init__(self, session: AgentSession[Any], agent: PreResponseAgent, model: llm.LLM[Any]) -> None:
        self.session = session
        self._agent = agent
        self._model = model

    async def say(self, text: str, *, hold_answer: bool = True) -> TurnResult:
        """Say ``text`` as the caller and wait for the agent's reply.

        Args:
            text: The caller's words.
            hold_answer: Hold the answer of a ``ScriptedLLM`` back until the engine has decided about the
                pre-response, as a slow model would.
        """
        before = len(self.session.history.items)
        if hold_answer and isinstance(self._model, ScriptedLLM):
            self._model.gate = gate = asyncio.Event()
            self._agent.events.once("preresponse_decided", lambda _: gate.set())
        await self.session.run(user_input=text)
        messages = [item for item in self.session.history.items[before:] if isinstance(item, llm.ChatMessage)]
        caller = next((message for message in messages if message.role == "user"), None)
        replies = [message for message in messages if message.role == "assistant"]
        trace = self._agent.trace(caller.id) if caller else None
        spoken = split_reply(replies, trace.fillers if trace else ())
        return TurnResult(spoken.preresponse, spoken.answer, replies, trace)


@asynccontextmanager
async def conversation(agent: PreResponseAgent, *, llm: llm.LLM[Any], **options: Any) -> AsyncIterator[Conversation]:
    """Start a session with this agent and main model, without audio.

    Args:
        agent: The agent.
        llm: The main model, for example a ``ScriptedLLM``.
        **options: Other arguments of ``AgentSession``.
    """
    defaults: dict[str, Any] = {"vad": None, "turn_handling": {"turn_detection": None}}
    async with AgentSession[Any](llm=llm, **{**defaults, **options}) as session:
        await session.start(agent)
        yield Conversation(session, agent, llm)


async def run_turn(
    agent: PreResponseAgent, text: str, *, llm: llm.LLM[Any], hold_answer: bool = True, **options: Any
) -> TurnResult:
    """Run one turn: the caller says ``text``, the agent replies.

    Args:
        agent: The agent.
        text: The caller's words.
        llm: The main model, for example a ``ScriptedLLM``.
        hold_answer: See ``Conversation.say``.
        **options: Other arguments of ``AgentSession``.
    """
    async with conversation(agent, llm=llm, **options) as running:
        return await running.say(text, hold_answer=hold_answer)
