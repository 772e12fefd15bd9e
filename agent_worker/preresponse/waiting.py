"""Say the lines that are due in a silence: while the main model has not begun, and while its tools work."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator

from livekit.agents import Agent, llm, utils
from livekit.agents.voice import SpeechHandle

from agent_worker.core.compat.livekit import current_speech_handle
from agent_worker.preresponse.answer import Answer
from agent_worker.preresponse.dead_air import DeadAir, Line
from agent_worker.preresponse.decision import PreresponseDecider, first_done
from agent_worker.preresponse.replies import Replies, Reply
from agent_worker.preresponse.strategies import Preresponse
from agent_worker.preresponse.turn_commit import wait_for_turn_commit
from agent_worker.telemetry.events import EngineEvents
from agent_worker.telemetry.trace import AUDIBLE_OUTCOMES, FILLER_EXTRA_KEY, PRERESPONSE_EXTRA_KEY
from agent_worker.text import messages
from agent_worker.text.move import Move
from agent_worker.turn_taking.floor import Floor


class WaitingSpeech:
    """What the caller hears in one call while an answer is prepared.

    Args:
        agent: The agent that speaks.
        dead_air: Tells when a line is due.
        floor: Is told of each line.
        decider: Remembers what was said, and knows the language.
        replies: Gets the speech of a line that is no part of a reply.
        events: Emits what is said.
    """

    def __init__(
        self,
        agent: Agent,
        dead_air: DeadAir,
        floor: Floor,
        decider: PreresponseDecider,
        replies: Replies,
        events: EngineEvents,
    ) -> None:
        self._agent = agent
        self._dead_air = dead_air
        self._floor = floor
        self._decider = decider
        self._replies = replies
        self._events = events
        self._tool_timeout_speech: SpeechHandle | None = None

    @property
    def has_voice(self) -> bool:
        """Whether the caller hears the agent."""
        output = self._agent.session.output
        return output.audio is not None and output.audio_enabled

    async def before_answer(
        self, message: llm.ChatMessage | None, answer: Answer, reply: Reply
    ) -> AsyncGenerator[Line, None]:
        """Yield what is said, once the caller's turn has ended, while the main model has not begun."""
        if not self.has_voice or reply.trace.outcome == "silent_kind":
            return
        self._dead_air.silence.watch(self._agent.session)
        if message is not None:
            committed = asyncio.create_task(wait_for_turn_commit(self._agent, message.id), name="turn_end")
            try:
                if await first_done(answer.begun, answer.task, committed) is not committed:
                    return
            finally:
                await utils.aio.cancel_and_wait(committed)
            self._dead_air.begin_turn(message.id)
        async with contextlib.aclosing(self._dead_air.lines(answer.begun, answer.task)) as lines:
            async for line in lines:
                reply.unspoken = Preresponse(line.text, line.source)
                self._floor.on_preresponse()
                yield line

    def while_tools_work(
        self, message: llm.ChatMessage | None, answer: Answer, reply: Reply, phrase: str | None
    ) -> None:
        """Say lines until the tools of an answer have returned.

        Args:
            message: The caller's message.
            answer: The answer that has called them.
            reply: Its reply.
            phrase: The pre-response that this turn did not have.
        """
        if not self.has_voice:
            return
        session = self._agent.session
        self._dead_air.silence.watch(session)
        if message is not None:
            self._dead_air.begin_turn(message.id)
        if answer.text.strip():
            self._dead_air.on_spoken(answer.text)
        self._dead_air.start_tools(session, current_speech_handle(), functools.partial(self._say, reply), phrase)

    def note(self, line: Line, reply: Reply) -> None:
        """Note a line that is going to be heard."""
        trace = reply.trace
        trace.lead_segments += 1
        if line.source == "report":
            return
        trace.fillers.append(line.text)
        if trace.outcome not in AUDIBLE_OUTCOMES:
            trace.source, trace.outcome = line.source, "spoken"
        if line.source == "phrase":
            self._decider.recent.append(line.text)
            self._decider.note(Move.LOOK_UP)
            self._events.emit("preresponse_started", line.text, line.source)
        else:
            self._events.emit("filler_started", line.text)

    def on_tool_timeout(self) -> str | None:
        """Tell the caller that a tool was given up, once for tools that were called together; return what is said."""
        session, last = self._agent.session, self._tool_timeout_speech
        sentence = messages.tool_timeout(self._decider.language)
        if not sentence or session.user_state == "speaking":
            return None
        if last is None or last.done():
            try:
                self._tool_timeout_speech = session.say(sentence)
            except RuntimeError:  # the call is about to end
                return None
        return sentence

    def _say(self, reply: Reply, line: Line) -> SpeechHandle | None:
        try:
            speech = self._agent.session.say(line.text)
        except RuntimeError:  # the call is about to end
            return None
        self._floor.on_preresponse(speech)
        self.note(line, reply)
        self._replies.adopt(speech, Reply(reply.trace, None, Preresponse(line.text, line.source)))
        if line.source != "report":
            speech.add_done_callback(functools.partial(_mark_as_filler, text=line.text))
        return speech


def _mark_as_filler(speech: SpeechHandle, text: str) -> None:
    """Let the history know a message that is a filler: the main model does not get to see it."""
    for item in speech.chat_items:
        if isinstance(item, llm.ChatMessage):
            item.extra |= {PRERESPONSE_EXTRA_KEY: text, FILLER_EXTRA_KEY: True}
