"""End the call when the caller and the agent have said goodbye."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from livekit.agents import AgentSession, ConversationItemAddedEvent, llm

from agent_worker.lifecycle.call_end import CallEnd
from agent_worker.text.goodbye import agent_takes_leave, asks_more, caller_takes_leave, is_courtesy
from agent_worker.turn_taking.call_silence import CallSilence
from agent_worker.turn_taking.floor import Clock

#: From the last word to the end of the call: a caller who has one more thing to say begins within this time.
GRACE_S = 1.0


class Goodbye:
    """The farewells of one call, in either order. Call ``start`` when everything is attached to the session.

    What the caller says after a farewell, other than another one or thanks, takes both back.

    Args:
        session: The call's session.
        language: Language tag. In a language without word classes no farewell is recognised.
        end: Ends the call.
        clock: The clock of the call.
        silence: How long nothing has been heard.
    """

    def __init__(
        self, session: AgentSession[Any], language: str, end: CallEnd, clock: Clock, silence: CallSilence
    ) -> None:
        self._session = session
        self._language = language
        self._end = end
        self._clock = clock
        self._silence = silence
        self._count_from = clock.now()
        self._agent_text: str | None = None
        self._caller_leaves = self._agent_leaves = False

    def use_language(self, language: str) -> None:
        """Recognise farewells in another language."""
        self._language = language

    def start(self) -> asyncio.Task[None]:
        """Watch for farewells.

        Returns:
            The task that waits. The end of the session cancels it.
        """
        self._silence.watch(self._session)
        self._session.on("agent_state_changed", lambda _: self._silence.wake())
        self._session.on("conversation_item_added", self._on_item)
        task = asyncio.create_task(self._run(), name="goodbye")
        self._session.once("close", lambda _: task.cancel())
        return task

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, llm.ChatMessage) or not (text := item.text_content):
            return
        if item.role == "user":
            self._on_caller(text)
        elif item.role == "assistant":
            self._on_agent(text, is_whole=not item.interrupted)
        self._count_from = self._clock.now()
        self._silence.wake()

    def _on_caller(self, text: str) -> None:
        if caller_takes_leave(text, self._agent_text, self._language):
            self._caller_leaves = True
        elif not (self._caller_leaves and is_courtesy(text, self._agent_text, self._language)):
            self._caller_leaves = self._agent_leaves = False

    def _on_agent(self, text: str, *, is_whole: bool) -> None:
        self._agent_text = text
        if asks_more(text):
            self._agent_leaves = False
        elif is_whole and agent_takes_leave(text, self._language):
            self._agent_leaves = True

    async def _run(self) -> None:
        await self._silence.wait(self._due)
        self._end.begin("goodbye")

    def _due(self, silent_since: float) -> float:
        if not (self._caller_leaves and self._agent_leaves) or self._session.agent_state != "listening":
            return math.inf
        return max(silent_since, self._count_from) + GRACE_S
