"""Ask a caller who says nothing whether they are still there, and end the call if they do not answer.

livekit-agents reports a silent caller once (``user_away_timeout``, which ``call_limit.limit_silence`` uses): not again
after the agent has spoken, always after the same time, and by the clock of the event loop. Hence a count of our own.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from livekit.agents import AgentSession, ConversationItemAddedEvent, UserInputTranscribedEvent, llm
from livekit.agents.voice import SpeechHandle

from agent_worker.core.compat.livekit import has_running_tools
from agent_worker.lifecycle.call_end import CallEnd
from agent_worker.telemetry.trace import SILENCE_QUESTION_EXTRA_KEY
from agent_worker.text.messages import silence_questions
from agent_worker.text.patience import asks_for_time, gives_time, is_aside
from agent_worker.turn_taking.call_silence import CallSilence
from agent_worker.turn_taking.floor import Clock

#: How often the caller is asked before the call ends.
_QUESTIONS = 2
#: For so long sounds without a word put a question off: longer ones are music or noise. A recogniser that does not
#: stream gives the words of a long utterance at its end.
_MAX_WORDLESS_S = 30.0
_MAX_UTTERANCE_S = 60.0


@dataclass(frozen=True)
class Patience:
    """How long a silence of the caller lasts before the next question, or before the end of the call, seconds.

    Attributes:
        usual_s: After the agent's last word.
        on_hold_s: The same while the caller looks for something, has asked to wait, or dictates.
    """

    usual_s: float
    on_hold_s: float


class SilentCaller:
    """The silences of the caller in one call. Call ``start`` when everything is attached to the session.

    A word of the caller, a typed text or a key is a sign of life. The count pauses while the caller is heard, while the
    agent thinks or speaks, and while a tool is at work. A caller without a word is heard for a while only: music on
    hold goes on for ever.

    Args:
        session: The call's session.
        language: Of the questions. Without texts in it nothing is asked, and the call ends all the same.
        patience: How long the silences last.
        end: Ends the call.
        clock: The clock of the call.
        silence: How long nothing has been heard.
        is_there: Whether a caller is in the room.
    """

    def __init__(
        self,
        session: AgentSession[Any],
        language: str,
        patience: Patience,
        end: CallEnd,
        clock: Clock,
        silence: CallSilence,
        is_there: Callable[[], bool] = lambda: True,
    ) -> None:
        self._session = session
        self._language = language
        self._patience = patience
        self._end = end
        self._clock = clock
        self._silence = silence
        self._is_there = is_there
        self._count_from = clock.now()
        self._asked = 0
        self._is_on_hold = self._has_time = False
        self._agent_text: str | None = None

    def use_language(self, language: str) -> None:
        """Ask in another language."""
        self._language = language

    def start(self, audience: asyncio.Future[None] | None = None) -> asyncio.Task[None]:
        """Count silences, once somebody receives the agent's audio.

        Args:
            audience: Done from then on; None where there is no room.

        Returns:
            The task that counts. The end of the session cancels it.
        """
        self._silence.watch(self._session)
        self._session.on("agent_state_changed", lambda _: self._silence.wake())
        self._session.on("conversation_item_added", self._on_item)
        self._session.on("user_input_transcribed", self._on_transcript)
        task = asyncio.create_task(self._run(audience), name="silent_caller")
        self._session.once("close", lambda _: task.cancel())
        return task

    def on_sign_of_life(self) -> None:
        """The caller has said, typed or pressed something."""
        self._asked = 0
        self._restart()

    def _on_transcript(self, event: UserInputTranscribedEvent) -> None:
        if event.transcript:
            self.on_sign_of_life()

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, llm.ChatMessage) or not (text := item.text_content):
            return
        if item.role == "user":
            self._is_on_hold = asks_for_time(text, self._agent_text, self._language) or (
                self._is_on_hold and is_aside(text, self._agent_text, self._language)
            )
            self._has_time = False
            self.on_sign_of_life()
        elif item.role == "assistant" and text not in silence_questions(self._language):
            self._agent_text = text
            self._has_time = gives_time(text, self._language)
            self._restart()

    async def _run(self, audience: asyncio.Future[None] | None) -> None:
        if audience is not None:
            await asyncio.shield(audience)
        self._restart()
        while self._asked <= _QUESTIONS:
            await self._silence.wait(self._due)
            self._restart()
            if self._is_waited_for():
                continue
            self._asked += 1
            if self._asked <= _QUESTIONS:
                self._ask(self._asked - 1)
        self._end.begin("unanswered")

    def _restart(self) -> None:
        self._count_from = self._clock.now()
        self._silence.wake()

    def _due(self, silent_since: float) -> float:
        if self._session.agent_state != "listening":
            return math.inf
        is_slow = self._is_on_hold or self._has_time
        patience_s = self._patience.on_hold_s if is_slow else self._patience.usual_s
        is_heard = self._session.user_state == "speaking"
        after_sounds = math.inf if is_heard else max(silent_since, self._count_from) + patience_s
        return min(after_sounds, self._count_from + patience_s + self._max_wordless_s)

    @property
    def _max_wordless_s(self) -> float:
        recogniser = self._session.stt
        return _MAX_WORDLESS_S if recogniser is None or recogniser.capabilities.streaming else _MAX_UTTERANCE_S

    def _is_waited_for(self) -> bool:
        """Whether the silence is not the caller's: the agent has something to do, or nobody is there."""
        return has_running_tools(self._session) or self._session.current_speech is not None or not self._is_there()

    def _ask(self, number: int) -> None:
        questions = silence_questions(self._language)
        if number >= len(questions):
            return
        with contextlib.suppress(RuntimeError):  # the call is about to end
            # Otherwise livekit-agents would wait for the end of a sound that may have none.
            is_silent = self._session.user_state != "speaking"
            speech = self._session.say(questions[number], allow_interruptions=is_silent)
            speech.add_done_callback(_mark_as_question)


def _mark_as_question(speech: SpeechHandle) -> None:
    """Let the history know the question: what the agent asked before it is still to be answered."""
    for item in speech.chat_items:
        if isinstance(item, llm.ChatMessage):
            item.extra[SILENCE_QUESTION_EXTRA_KEY] = True
