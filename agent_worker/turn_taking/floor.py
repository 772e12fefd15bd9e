"""Watch over the floor of one call: who has it, what takes it, and what continues a turn.

This module wires the decisions of ``overlap``, ``overlap_words``, ``continuation`` and ``firm_end`` to a session.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from livekit import rtc
from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    ConversationItemAddedEvent,
    SpeechCreatedEvent,
    llm,
    stt,
    vad,
)
from livekit.agents.voice import SpeechHandle

from agent_worker.audio.held_output import HeldAudioOutput, make_holdable
from agent_worker.core.compat.livekit import (
    current_speech_handle,
    discard_user_speech,
    is_echo_warm_up,
    restore_user_turn,
)
from agent_worker.core.log import logger
from agent_worker.turn_taking.agent_speech import AgentSpeech, AgentSpeeches
from agent_worker.turn_taking.continuation import EndedTurn, ReopenedTurn, continues, without_turn
from agent_worker.turn_taking.firm_end import FirmEnd
from agent_worker.turn_taking.overlap import OverlapPolicy, OverlapTiming
from agent_worker.turn_taking.overlap_words import OverlapWords, judge_overlap
from agent_worker.turn_taking.voice_activity import ObservedVAD

#: Words that arrive so long after the agent's speech, without a sound of their own, may be its echo.
_ECHO_DELAY_S = 1.0
#: A recogniser that does not stream gives the words only after the sound, however long that is.
_MAX_UTTERANCE_S = 60.0
#: livekit-agents ends an interrupted speech within milliseconds; a stuck one must not hold back the caller's words.
_INTERRUPTION_TIMEOUT_S = 1.0

_TRANSCRIPTS = (
    stt.SpeechEventType.INTERIM_TRANSCRIPT,
    stt.SpeechEventType.PREFLIGHT_TRANSCRIPT,
    stt.SpeechEventType.FINAL_TRANSCRIPT,
)


class Timer(Protocol):
    """A pending call, as ``asyncio`` returns it."""

    def cancel(self) -> None:
        """Do not call."""


@dataclass(frozen=True)
class Clock:
    """The clock of one call; tests bring their own.

    Attributes:
        now: Monotonic time in seconds.
        call_later: Calls a function after some seconds.
        sleep: Waits for some seconds.
    """

    now: Callable[[], float] = time.monotonic
    call_later: Callable[[float, Callable[[], None]], Timer] = lambda delay_s, function: (
        asyncio.get_running_loop().call_later(delay_s, function)
    )
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class FloorEvents(rtc.EventEmitter[Literal["turn_reopened", "words_discarded"]]):
    """Events of the floor, subscribed to by ``events.on(name, handler)``.

    ``turn_reopened``: the caller goes on after the end of a turn was assumed; its reply is about to be taken back.
    Argument: a ``continuation.ReopenedTurn``.

    ``words_discarded``: a final transcript over the agent's speech takes no floor. No arguments.
    """


class Floor:
    """The floor of one call. Without ``attach`` it lets everything pass.

    Args:
        language: Language tag of the call.
        timing: When a sound silences the agent.
        tool_delay_s: Seconds without a sound or word of the caller after which tools with side effects may run.
        clock: The clock.

    Attributes:
        events: Its events.
        language: Language tag of the call.
    """

    def __init__(
        self,
        language: str,
        timing: OverlapTiming | None = None,
        tool_delay_s: float = 0.8,
        clock: Clock | None = None,
    ) -> None:
        self.events = FloorEvents()
        self.language = language
        self._timing = timing or OverlapTiming()
        self._clock = clock = clock or Clock()
        self._policy = OverlapPolicy(self._timing)
        self._firm_end = FirmEnd(tool_delay_s, clock.now, clock.sleep)
        self._speeches = AgentSpeeches()
        self._session: AgentSession[Any] | None = None
        self._output: HeldAudioOutput | None = None
        self._timer: Timer | None = None
        self._turn: EndedTurn | None = None
        self._has_acted = False
        self._words_taken = False
        self._sound_start: float | None = None
        self._silent_since: float | None = None
        self._heard_at_sound_s = 0.0
        self._observes_vad = False

    @property
    def silence_s(self) -> float | None:
        """Seconds since the caller's last sound; ``None`` before the first, and while the caller speaks."""
        return None if self._silent_since is None else self._clock.now() - self._silent_since

    @property
    def clock(self) -> Clock:
        """The clock of the call."""
        return self._clock

    @property
    def is_attached(self) -> bool:
        """Whether it watches a session."""
        return self._session is not None

    def attach(self, session: AgentSession[Any]) -> None:
        """Watch a session. Call it after ``session.start`` and after all other wrappers of the audio output."""
        self._session = session
        if session.stt is not None and not session.stt.capabilities.streaming:
            self._timing = replace(self._timing, max_wordless_s=_MAX_UTTERANCE_S)
            self._policy = OverlapPolicy(self._timing)
        self._output = make_holdable(session)
        if self._output is not None:
            self._output.on("playback_started", lambda _: self._speech.on_playback_started(self._clock.now()))
        if isinstance(session.vad, ObservedVAD):
            self._observes_vad = True
            session.vad.observe(self._on_vad)
        session.on("agent_state_changed", self._on_agent_state)
        session.on("conversation_item_added", self._on_item)
        session.on("speech_created", self._on_speech)

    # --- what the agent tells ---

    def on_preresponse(self, speech: SpeechHandle | None = None) -> None:
        """The next audio of a speech is a pre-response; without one, of the reply whose node calls this."""
        self._speeches.of(speech or current_speech_handle()).on_preresponse()

    async def follow_text(self, text: AsyncIterable[str]) -> AsyncIterator[str]:
        """Pass on the text that the running node is going to say, and remember it."""
        speech = self._speeches.of(current_speech_handle())
        async for piece in text:
            speech.on_text(piece)
            yield piece

    async def wait_to_act(self) -> None:
        """Return when tools with side effects may run for the caller's turn, which has ended."""
        if self.is_attached:
            await self._firm_end.wait()
            self._has_acted = True

    # --- the caller's words ---

    async def filter(self, events: AsyncIterable[stt.SpeechEvent]) -> AsyncIterator[stt.SpeechEvent]:
        """Yield the recogniser's events that livekit-agents is to see: without words that take no floor."""
        async for event in events:
            if await self._admit(event):
                yield event

    async def _admit(self, event: stt.SpeechEvent) -> bool:
        if self._session is None:
            return True
        if event.type not in _TRANSCRIPTS:
            self._on_stt_voice(event)
            return True
        text = event.alternatives[0].text if event.alternatives else ""
        is_final = event.type is stt.SpeechEventType.FINAL_TRANSCRIPT
        if not text:
            if is_final and self._is_over_agent():  # the sound has no words: none is waited for
                self._policy.on_words(OverlapWords.NO_WORDS, is_final, self._clock.now())
                self._update()
            return True
        self._firm_end.on_words()
        if self._is_over_agent():
            words = self._judge(text)
            self._policy.on_words(words, is_final, self._clock.now())
            self._update()
            if words is not OverlapWords.INTERRUPTION:
                if is_final:
                    logger.debug("words over the agent's speech take no floor: %s", words)
                    discard_user_speech(self._session)
                    self.events.emit("words_discarded")
                return False
            if event.type is not stt.SpeechEventType.INTERIM_TRANSCRIPT:
                await self._reopen_if_continued()
        self._words_taken = self._words_taken or is_final
        return True

    def _judge(self, text: str) -> OverlapWords:
        asked = self._speech.has_asked(self._clock.now())
        words = judge_overlap(text, self.language, self._speech.recent_text, asked, waits=self._waits_for_answer)
        if words is OverlapWords.SIDE_TALK and not self._has_floor:
            return OverlapWords.INTERRUPTION
        if words is OverlapWords.BACKCHANNEL and not self._has_floor and self._sound_start is None:
            return OverlapWords.INTERRUPTION
        return words

    @property
    def _waits_for_answer(self) -> bool:
        """Whether the caller had heard a pre-response, and nothing of the answer, when the latest sound began."""
        return self._has_floor and self._speech.preresponse_at is not None and self._heard_at_sound_s == 0.0

    @property
    def _speech(self) -> AgentSpeech:
        """The agent's present speech, or its last one."""
        return self._speeches.make_current(self._session.current_speech if self._session else None)

    @property
    def _has_floor(self) -> bool:
        """Whether the agent speaks, or is about to."""
        return self._session is not None and self._session.agent_state in ("speaking", "thinking")

    def _is_over_agent(self) -> bool:
        """Whether words that arrive now were spoken while the agent had the floor."""
        if self._has_floor:
            return True
        if (ended_at := self._speech.ended_at) is None:
            return False
        since_end_s = self._clock.now() - ended_at
        if self._sound_start is None:
            return since_end_s < _ECHO_DELAY_S
        return self._sound_start <= ended_at and since_end_s < self._timing.transcript_timeout_s

    async def _reopen_if_continued(self) -> None:
        session, turn = self._session, self._turn
        if session is None or turn is None or not self._has_floor:
            return
        if not continues(turn, self._sound_start, self._heard_at_sound_s, self._has_acted):
            return
        self._turn = None
        heard = self._speech.preresponse_at is not None
        self.events.emit("turn_reopened", ReopenedTurn(turn.message_id, turn.text, heard))
        with contextlib.suppress(asyncio.TimeoutError, RuntimeError):  # a speech that does not allow interruptions
            await asyncio.wait_for(asyncio.shield(session.interrupt()), _INTERRUPTION_TIMEOUT_S)
        agent = session.current_agent
        await agent.update_chat_ctx(without_turn(agent.chat_ctx, turn.message_id))
        session.history.items[:] = without_turn(session.history, turn.message_id).items
        restore_user_turn(session, turn.text)

    # --- the caller's sounds ---

    def _on_vad(self, event: vad.VADEvent) -> None:
        now = self._clock.now()
        if event.type is vad.VADEventType.START_OF_SPEECH:
            self._on_voice_start(now - event.speech_duration)
        elif event.type is vad.VADEventType.INFERENCE_DONE:
            self._policy.on_voice_activity(now, event.raw_accumulated_silence)
        else:
            self._on_voice_end(now - event.silence_duration)
        self._update()

    def _on_stt_voice(self, event: stt.SpeechEvent) -> None:
        """Take the recogniser's start and end of speech where there is no voice activity detector."""
        if self._observes_vad:
            return
        if event.type is stt.SpeechEventType.START_OF_SPEECH:
            self._on_voice_start(self._clock.now())
        elif event.type is stt.SpeechEventType.END_OF_SPEECH:
            self._on_voice_end(self._clock.now())
        self._update()

    def _on_voice_start(self, start: float) -> None:
        self._sound_start, self._silent_since = start, None
        self._heard_at_sound_s = self._speech.heard_of_answer_s(start)
        self._firm_end.on_voice_start()
        is_early = self._turn is not None and continues(self._turn, start, self._heard_at_sound_s, self._has_acted)
        self._policy.on_voice_start(start, is_early)

    def _on_voice_end(self, end: float) -> None:
        self._silent_since = end
        self._firm_end.on_voice_end(end)
        self._policy.on_voice_end(end)

    # --- the agent's speech ---

    def _on_speech(self, event: SpeechCreatedEvent) -> None:
        event.speech_handle.add_done_callback(self._on_speech_done)

    def _on_speech_done(self, _: SpeechHandle) -> None:
        if not self._has_floor:
            self._policy.reset()
        self._update()

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        speech = self._speech
        if event.new_state == "listening":
            speech.ended_at = self._clock.now()
            self._turn = None
        else:
            speech.ended_at = None
        self._update()

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, llm.ChatMessage) or item.role != "user":
            return
        if self._words_taken:  # typed text cannot be continued by voice
            self._turn = EndedTurn(item.id, item.text_content or "", self._clock.now())
        self._words_taken = self._has_acted = False
        self._policy.on_turn_end()

    def _update(self) -> None:
        """Hold or release the agent's voice, and look again when that may change."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._output is None or self._session is None:
            return
        now = self._clock.now()
        is_silent = self._may_hold() and self._policy.is_silent(now)
        if is_silent != self._output.is_held:
            if is_silent:
                self._output.hold()
            else:
                self._output.release()
        if (change := self._policy.next_change(now)) is not None:
            self._timer = self._clock.call_later(change - now, self._update)

    def _may_hold(self) -> bool:
        session = self._session
        if session is None or not self._has_floor or is_echo_warm_up(session):
            return False
        speech = session.current_speech
        return speech is None or speech.allow_interruptions
