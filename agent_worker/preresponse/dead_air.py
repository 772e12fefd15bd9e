"""Say something when a silence gets long while the answer is prepared: while tools work, or the main model is slow."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from livekit.agents import AgentSession, utils
from livekit.agents.voice import SpeechHandle

from agent_worker.core.log import logger
from agent_worker.preresponse.decision import first_done
from agent_worker.preresponse.phrases import spoken_form
from agent_worker.turn_taking.call_silence import CallSilence
from agent_worker.turn_taking.floor import Clock

#: How long a silence lasts before the first filler of a wait.
DEFAULT_FILLER_DELAY_S = 2.5
#: The same after a filler. With the filler's own duration it is at most 6 s from one to the next.
_REPEAT_DELAY_S = 4.5
#: A tool that is the first thing to happen in a turn may be silent for so long: then the pre-response is made up for.
_FIRST_SOUND_DELAY_S = 1.0
#: Between a sound and what a tool reports.
_REPORT_DELAY_S = 0.7
#: The main model gets so much time to begin with a tool's result before the next filler.
_RESULT_GRACE_S = 0.5
#: What was heard longer ago has nothing to do with this turn: it was typed.
_MAX_TURN_END_S = 5.0
#: The agent's own words are on their way to the voice.
_SPEECH_POLL_S = 0.5
#: A report is a sentence, not a document.
MAX_REPORT_CHARS = 300


@dataclass(frozen=True)
class Line:
    """What is said in a silence.

    Attributes:
        text: A sentence.
        source: ``filler``; ``phrase`` for a pre-response that is made up for; ``report`` for the words of a tool.
    """

    text: str
    source: str = "filler"


Say = Callable[[Line], "SpeechHandle | None"]
"""Says a line now; returns its speech, or None if it was not said."""


class DeadAir:
    """The silences of one call while its answers are prepared.

    In one turn nothing is said twice. When everything has been said, the silence stays.

    Args:
        silence: How long nothing has been heard.
        clock: The clock of the call.
        fillers: What can be said, the best first. Without any, only reports are said.
        delay_s: How long a silence lasts before a filler, seconds; ``None``: no fillers.
    """

    def __init__(self, silence: CallSilence, clock: Clock, fillers: Sequence[str], delay_s: float | None) -> None:
        self.silence = silence
        self._clock = clock
        self._fillers = deque(fillers)
        self._delay_s = delay_s
        self._turn: str | None = None
        self._said: set[str] = set()
        self._said_at = -math.inf
        self._not_before = -math.inf
        self._is_repeat = False
        self._first_phrase: str | None = None
        self._report: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._speech: SpeechHandle | None = None

    @property
    def has_lines(self) -> bool:
        """Whether anything may be said without a report."""
        return self._delay_s is not None and bool(self._fillers)

    def use_fillers(self, fillers: Sequence[str]) -> None:
        """Say these from now on, in another language."""
        self._fillers = deque(fillers)
        self.silence.wake()

    def begin_turn(self, message_id: str) -> None:
        """The caller has finished the turn with this chat message; once known, it may be told again."""
        if message_id == self._turn:
            return
        self._turn = message_id
        self._said.clear()
        self._said_at = self._not_before = -math.inf
        self._is_repeat = False
        self._report = None
        if self._clock.now() - self.silence.since > _MAX_TURN_END_S:
            self.silence.begin()

    def on_result(self) -> None:
        """The tools have returned: the main model is asked again."""
        self._report = None
        self._not_before = self._clock.now() + _RESULT_GRACE_S

    def on_spoken(self, text: str) -> None:
        """The agent is going to say something else."""
        self._said.add(spoken_form(text))
        self._is_repeat = False

    def report(self, text: str) -> None:
        """Say ``text`` in the next silence, instead of a filler. A later report replaces it; a result discards it."""
        text = " ".join(text.split())
        if not text or spoken_form(text) in self._said:
            return
        if len(text) > MAX_REPORT_CHARS:
            logger.warning("a tool reports more than %d characters: the rest is not said", MAX_REPORT_CHARS)
        self._report = text[:MAX_REPORT_CHARS]
        self.silence.wake()

    async def lines(self, *until: asyncio.Future[Any]) -> AsyncGenerator[Line, None]:
        """Yield each line when it is due, before the first of the futures is done. The caller says them."""
        while True:
            waiting = asyncio.create_task(self._next(), name="dead_air")
            try:
                if await first_done(*until, waiting) is not waiting:
                    return
            finally:
                await utils.aio.cancel_and_wait(waiting)
            yield waiting.result()

    def start_tools(
        self, session: AgentSession[Any], reply: SpeechHandle | None, say: Say, phrase: str | None = None
    ) -> None:
        """Say a line whenever one is due, until ``stop``: tools are at work.

        Args:
            session: The session, which is watched for words of the agent that are still on their way.
            reply: The reply that the tools work for: nothing is said after its end.
            say: Says a line.
            phrase: The pre-response that this turn did not have: said first, and earlier than a filler.
        """
        self.stop()
        self._first_phrase = phrase
        self._task = task = asyncio.create_task(self._talk(session, say), name="dead_air")
        if reply is not None:
            reply.add_done_callback(lambda _: self.stop() if self._task is task else None)

    def stop(self) -> None:
        """Say nothing more: the result is there, or nobody waits for it. What is being heard is said to its end."""
        if self._task:
            self._task.cancel()
        if self._speech and not self._speech.done() and not self.silence.agent_is_heard:
            self._speech.interrupt(force=True)
        self._task = self._speech = self._first_phrase = None

    async def _talk(self, session: AgentSession[Any], say: Say) -> None:
        while True:
            await self.silence.wait(self._due)
            if session.current_speech is not None:
                self.silence.expect_sound(_SPEECH_POLL_S)
            elif line := self._take():
                self._speech = say(line)

    async def _next(self) -> Line:
        while True:
            await self.silence.wait(self._due)
            if line := self._take():
                return line

    def _due(self, silent_since: float) -> float:
        since = max(silent_since, self._said_at)
        if self._report is not None:
            return max(since + _REPORT_DELAY_S, self._not_before)
        if self._first_phrase is not None:
            return since + _FIRST_SOUND_DELAY_S
        if self._delay_s is None or self._unsaid() is None:
            return math.inf
        return max(since + (_REPEAT_DELAY_S if self._is_repeat else self._delay_s), self._not_before)

    def _unsaid(self) -> str | None:
        return next((filler for filler in self._fillers if spoken_form(filler) not in self._said), None)

    def _take(self) -> Line | None:
        """Return what is said now, and note that it is."""
        line = self._choose()
        if line is not None:
            self._said.add(spoken_form(line.text))
            self._said_at = self._clock.now()
            self._is_repeat = True
        return line

    def _choose(self) -> Line | None:
        if (report := self._report) is not None:
            self._report = None
            return Line(report, "report")
        if (phrase := self._first_phrase) is not None:
            self._first_phrase = None
            return Line(phrase, "phrase")
        if (filler := self._unsaid()) is None:
            return None
        self._fillers.remove(filler)
        self._fillers.append(filler)
        return Line(filler)
