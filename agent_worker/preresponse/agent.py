"""The agent: livekit's nodes around the pre-response engine."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Sequence
from typing import Any, get_args

from livekit import rtc
from livekit.agents import (
    Agent,
    APIError,
    ConversationItemAddedEvent,
    FlushSentinel,
    ModelSettings,
    llm,
    stt,
    utils,
)

from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.audio.tts_stream import TTS_TIMEOUT_S, TTSInput, report_voice_silent, with_timeout
from agent_worker.core.compat.livekit import current_speech_handle, leave_markup_to_agent, wrap_tools
from agent_worker.core.language_tag import MULTI
from agent_worker.core.log import logger
from agent_worker.core.settings import StrategyName
from agent_worker.preresponse.answer import Answer
from agent_worker.preresponse.answer_models import AnswerModels
from agent_worker.preresponse.apology import Apologizer
from agent_worker.preresponse.callers_language import CallersLanguage
from agent_worker.preresponse.dead_air import DEFAULT_FILLER_DELAY_S, DeadAir
from agent_worker.preresponse.decision import DEFAULT_QUICK_ANSWER_S, PreresponseDecider
from agent_worker.preresponse.fast_reply import DEFAULT_PRERESPONSE_PROMPT
from agent_worker.preresponse.first_word import Chunk
from agent_worker.preresponse.history import DEFAULT_HISTORY_MAX_TOKENS, bounded_history, without_preresponses
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.replies import Replies, Reply
from agent_worker.preresponse.speech_router import SpeechRouter, TextTee
from agent_worker.preresponse.strategies import Attempt, Preresponse, Strategy, StrategyFactory
from agent_worker.preresponse.tool_calls import with_readable_arguments
from agent_worker.preresponse.tool_limit import DEFAULT_TOOL_TIMEOUT_S, ToolLimit
from agent_worker.preresponse.turn_commit import caller_message, last_message, wait_for_turn_commit
from agent_worker.preresponse.waiting import WaitingSpeech
from agent_worker.providers.stack import Voices
from agent_worker.telemetry.events import EngineEvents
from agent_worker.telemetry.trace import (
    PRERESPONSE_EXTRA_KEY,
    SILENCE_QUESTION_EXTRA_KEY,
    TurnTrace,
)
from agent_worker.text import messages, spoken_numbers
from agent_worker.text.move import SPOKEN_MOVES, Move
from agent_worker.text.preamble import Openings, PreambleFilter
from agent_worker.text.sanitize import sanitize_event
from agent_worker.text.speakable import speakable
from agent_worker.turn_taking.audio_input import SpeechEndTracker
from agent_worker.turn_taking.call_silence import CallSilence
from agent_worker.turn_taking.caller_transcript import CallerTranscript
from agent_worker.turn_taking.continuation import ReopenedTurn
from agent_worker.turn_taking.floor import Floor
from agent_worker.turn_taking.transcript_timeout import reconnect_on, report_transcript_timeout
from agent_worker.turn_taking.wordless import WordlessFilter

#: Tells the main model to open without an acknowledgement. It does not mention the one that the caller has heard: small
#: models answered "The caller's words have been acknowledged already", or lost the question (docs/architecture.md).
ANSWER_NOTE = "Start with the first thing the caller should know or do."

#: A voice that spells "mm-hm" takes longer.
MAX_BACKCHANNEL_S = 1.0


class PreResponseAgent(Agent):
    """An agent whose replies begin with a short pre-response, spoken while the main model prepares the answer.

    The main model and the strategy start at the same moment. The pre-response is a segment of its own, followed by the
    answer, in one ``SpeechHandle``: an interruption stops both, and the chat history holds what was spoken. There is no
    pre-response if the answer arrives just as quickly, if the caller only backchannelled or said goodbye, or in the
    reply after a tool call. When a silence gets long because a tool or the main model is slow, a filler is spoken. When
    the main model fails, an apology is spoken.

    Call :func:`agent_worker.pace` after ``session.start``, or the pre-response starts late.

    Args:
        instructions: The main model's system prompt. A note about the pre-response is added.
        fast_llm: The fast model, needed by ``llm`` and ``hybrid``. The main model is the ``llm`` of the session or of
            this agent; it has to be an :class:`livekit.agents.llm.LLM`. A realtime model speaks itself, and the engine
            is off.
        strategy: The source of pre-responses, by name or a :class:`agent_worker.Strategy`.
        language: Language tag of the callers, such as ``en`` or ``en-US``; ``multi``: the recogniser finds it.
        phrases: The phrases. Default: those of the language that come with the package.
        voices: The voice of each language, for ``multi``. ``None``: one voice speaks all.
        phrase_audio: The cached audio of the phrases. Without it each is synthesised when it is spoken.
        preresponse_prompt: The fast model's system prompt.
        budget: How long ``hybrid`` makes the caller wait for the fast model after the end of the turn, seconds.
        quick_answer: An answer that is expected within this time, in seconds, needs no pre-response.
        fallback_llm: Answers in the main model's place if that says no word (``first_word.Wordless``). Unset: the fast
            model.
        answer_timeout: How long a model may take to show that it is at work, and then to continue its answer, seconds.
            ``None``: without limit.
        thinking_timeout: How long the main model may be at work before its first word that can be spoken, seconds; then
            the fallback model is asked. Unset: ``answer_timeout``.
        fallback_timeout: How long the fallback model may take to its first word, seconds. Unset: ``answer_timeout``.
        voice_timeout: How long the voice may leave a sentence unspoken, seconds.
        numbers_as_words: Whether the voice gets amounts, times, phone numbers, dates and identifiers as words.
        history_max_tokens: Estimated tokens of the conversation that the main model gets with each request: beyond it,
            the oldest turns are dropped from the request. ``None``: all of it, whose cost grows with each turn.
        floor: Decides what takes the floor from the agent. Call its ``attach`` after ``session.start``; until then,
            livekit-agents decides alone.
        early_tools: Names of tools without side effects: they may run before the end of the caller's turn is firm.
        filler_delay: How long a silence lasts before a filler is spoken while tools work or the main model is slow,
            seconds. ``None``: no fillers.
        tool_timeout: How long a tool may take before it is given up, seconds. ``None``: without limit.
        **options: All other arguments of :class:`livekit.agents.Agent`.

    Attributes:
        events: The engine's events: see :class:`agent_worker.telemetry.events.EngineEvents`.
        floor: Decides what takes the floor from the agent.
        dead_air: Says something when a silence gets long while the answer is prepared.
        is_held_back: Whether it makes no listener's sound and asks nobody to repeat anything.

    Raises:
        ValueError: If the strategy is unknown or needs a fast model.
    """

    def __init__(
        self,
        *,
        instructions: str,
        fast_llm: llm.LLM[Any] | None = None,
        strategy: StrategyName | Strategy = "phrase",
        language: str = "en",
        phrases: PhraseBook | None = None,
        voices: Voices | None = None,
        phrase_audio: PhraseAudio | None = None,
        preresponse_prompt: str = DEFAULT_PRERESPONSE_PROMPT,
        budget: float = 0.0,
        quick_answer: float = DEFAULT_QUICK_ANSWER_S,
        fallback_llm: llm.LLM[Any] | None = None,
        answer_timeout: float | None = None,
        thinking_timeout: float | None = None,
        fallback_timeout: float | None = None,
        voice_timeout: float = TTS_TIMEOUT_S,
        numbers_as_words: bool = True,
        history_max_tokens: int | None = DEFAULT_HISTORY_MAX_TOKENS,
        floor: Floor | None = None,
        early_tools: Collection[str] = (),
        filler_delay: float | None = DEFAULT_FILLER_DELAY_S,
        tool_timeout: float | None = DEFAULT_TOOL_TIMEOUT_S,
        **options: Any,
    ) -> None:
        # In the instructions, and not beside each turn: they stay the same, so that the provider can cache them.
        note = f" {ANSWER_NOTE}" if strategy != "off" else ""
        super().__init__(instructions=instructions + note, **options)
        self.events = EngineEvents()
        self.floor = floor or Floor(language)
        self.floor.events.on("turn_reopened", self._on_turn_reopened)
        self._callers_language = CallersLanguage(language)
        self._voices = voices
        self.phrases = phrases or self._callers_language.phrases
        self.phrase_audio = phrase_audio
        self._answer_timeout_s = answer_timeout
        self._report_usage = functools.partial(self.events.emit, "usage_unreported")
        self._models = AnswerModels(
            self,
            fallback_llm or fast_llm,
            silence_s=answer_timeout,
            thinking_s=thinking_timeout or answer_timeout,
            fallback_s=fallback_timeout or answer_timeout,
            report_usage=self._report_usage,
            on_replaced=functools.partial(self.events.emit, "answer_replaced"),
        )
        self._voice_timeout_s = voice_timeout
        self._numbers_as_words = numbers_as_words
        self._history_max_tokens = history_max_tokens
        self._decider = PreresponseDecider(language, quick_answer, silence_s=self._silence_s)
        if numbers_as_words:
            for spoken in self.languages:
                spoken_numbers.preload(spoken)
        self._router = SpeechRouter(phrase_audio, lambda error: report_voice_silent(self.session, error))
        self._apologizer = Apologizer(language, phrase_audio)
        clock = self.floor.clock
        self.dead_air = DeadAir(CallSilence(clock), clock, self.phrases.fillers, filler_delay)
        self._has_fillers = filler_delay is not None
        self._replies = Replies()
        self._waiting = WaitingSpeech(self, self.dead_air, self.floor, self._decider, self._replies, self.events)
        self._tool_limit = (
            ToolLimit(tool_timeout, clock.sleep, self._has_handed_off, self._waiting.on_tool_timeout)
            if tool_timeout
            else None
        )
        self._early_tools = frozenset(early_tools)
        self.is_held_back = False
        self._reopened: ReopenedTurn | None = None
        self._reconnect_stt = asyncio.Event()
        self.audio_levels: Callable[[], Sequence[float]] = tuple
        self._wordless = WordlessFilter(language, self.last_text, lambda: self.audio_levels())
        self.caller_transcript = CallerTranscript(
            self._wordless,
            on_wordless=functools.partial(self.events.emit, "wordless_transcript"),
            on_text=functools.partial(self.events.emit, "caller_text"),
        )
        self.floor.events.on("words_discarded", self.caller_transcript.end_turn)
        self._strategies = StrategyFactory(
            phrases=self.phrases,
            duration=lambda phrase: self._router.phrase_audio.duration(phrase) if self._router.phrase_audio else None,
            fast_llm=fast_llm,
            synthesize=self._synthesize_ahead,
            prompt=preresponse_prompt,
            hybrid_budget_s=budget,
            report_usage=self._report_usage,
        )
        self.strategy = strategy

    @property
    def strategy(self) -> Strategy | None:
        """The source of pre-responses; ``None`` if they are off. A change takes effect in the next turn."""
        return self._strategy

    @strategy.setter
    def strategy(self, strategy: StrategyName | Strategy | None) -> None:
        self._strategy = self._strategies.make(strategy) if isinstance(strategy, str) else strategy

    @property
    def strategy_name(self) -> str:
        """Name of the strategy, or ``off``."""
        return self._strategy.name if self._strategy else "off"

    @property
    def fixed_texts(self) -> list[str]:
        """The sentences that this agent may say word for word: worth synthesising in advance."""
        phrases = (phrase for book in self.books for phrase in book.all())
        texts = [*phrases, *map(messages.apology, self.languages), *self.waiting_texts]
        return list(dict.fromkeys(filter(None, texts)))

    @property
    def languages(self) -> Sequence[str]:
        """The languages in which it may say fixed sentences."""
        return self._callers_language.possible

    @property
    def books(self) -> Sequence[PhraseBook]:
        """The phrases of these languages."""
        return self._callers_language.books or [self.phrases]

    @property
    def waiting_texts(self) -> list[str]:
        """Those of them that are said while the caller waits, the first first."""
        fillers = [filler for book in self.books for filler in book.fillers] if self._has_fillers else []
        given_up = map(messages.tool_timeout, self.languages if self._tool_limit else ())
        return list(dict.fromkeys(filter(None, [*fillers, *given_up])))

    @property
    def apology(self) -> str:
        """The sentence that is spoken when a provider fails."""
        return self._apologizer.sentence

    async def add_tool(self, tool: llm.Tool, *, limits_itself: bool = False) -> None:
        """Let the main model use one more tool from the next turn on; one that it has already is not added again.

        Args:
            tool: The tool.
            limits_itself: ``tool_timeout`` does not hold for it.
        """
        if limits_itself and self._tool_limit:
            self._tool_limit.unlimited.add(tool.id)
        if tool.id not in {each.id for each in self.tools}:
            await self.update_tools([*self.tools, tool])

    def trace(self, message_id: str) -> TurnTrace | None:
        """Return the trace of a recent turn by the id of the caller's chat message."""
        return self._replies.trace(message_id)

    def ask_to_repeat(self) -> None:
        """Ask the caller to say it again: speech was detected and no transcript arrived."""
        if self.is_held_back:
            return
        self._apologizer.apologize(self.session)  # with or without cached audio: the voice works

    def reconnect_stt(self) -> None:
        """Replace the connection to the recogniser, over which a transcript did not arrive."""
        self._reconnect_stt.set()
        report_transcript_timeout(self.session)

    def _follow_language(self, event: stt.SpeechEvent) -> None:
        """Speak the language in which the caller has spoken, if it is not known in advance."""
        if event.type is not stt.SpeechEventType.FINAL_TRANSCRIPT or not event.alternatives:
            return
        spoken = event.alternatives[0]
        if (language := self._callers_language.hear(spoken.text, spoken.language)) is not None:
            self._use_language(language)

    def _use_language(self, language: str) -> None:
        audio = self.phrase_audio
        if self._voices is not None:
            self._voices.use(language)
            if self._voices.identity(language) != self._voices.identity(MULTI):
                audio = None  # it is in another voice
        self._decider.language = self.floor.language = self._wordless.language = language
        self.phrases = self._callers_language.phrases
        self._router.phrase_audio = audio
        self._apologizer.use_language(language, audio)
        self.dead_air.use_fillers(self.phrases.fillers)
        self._strategies = dataclasses.replace(self._strategies, phrases=self.phrases)
        if self._strategy is not None and self._strategy.name in get_args(StrategyName):
            self.strategy = self._strategies.make(self._strategy.name)
        self.events.emit("language_changed", language)

    def watch_audio(self, audio_input: SpeechEndTracker | None) -> None:
        """Take the loudness of the caller's sounds from ``audio_input``."""
        if audio_input is not None:
            self.audio_levels = lambda: audio_input.levels

    @property
    def backchannel_text(self) -> str:
        """How a listener's sound is written."""
        return messages.backchannel(self._decider.language)

    def backchannel_clip(self) -> Sequence[rtc.AudioFrame]:
        """Return the cached audio of a listener's sound; empty if there is none, or if the voice spells it."""
        sound = self.backchannel_text
        duration = self.phrase_audio.duration(sound) if self.phrase_audio else None
        is_short = duration is not None and duration <= MAX_BACKCHANNEL_S
        return self.phrase_audio.frames(sound) if self.phrase_audio and is_short else ()

    async def on_enter(self) -> None:
        """Take over what the voice is given: livekit-agents' own filters would speak "*sighs*" as a word."""
        leave_markup_to_agent(self.session)

    async def on_dtmf(self, keys: str) -> str | None:
        """Return what a turn of keys means that the caller has pressed on the telephone; override it in your own agent.

        Args:
            keys: The keys, without the ``#`` that ended them; ``#`` if it was the only one.

        Returns:
            The text that is answered as if the caller had said it. ``None``: nothing is answered.
        """
        return keys

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterable[stt.SpeechEvent]:
        """Transcribe; replace a connection over which a transcript did not arrive; keep out what is no turn."""
        events = reconnect_on(self._reconnect_stt, Agent.default.stt_node(self, audio, model_settings))
        session = self.session
        session.on("conversation_item_added", self._on_item)
        try:
            async for event in self.floor.filter(self.caller_transcript.read(self._read(events))):
                yield event
        finally:
            session.off("conversation_item_added", self._on_item)

    async def _read(self, events: AsyncIterable[stt.SpeechEvent]) -> AsyncIterator[stt.SpeechEvent]:
        async for event in events:
            sanitized = sanitize_event(event)
            self._follow_language(sanitized)
            yield sanitized

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterable[Chunk]:
        """Yield the pre-response, a flush, then the main model's answer."""
        message = caller_message(chat_ctx, {item.id for item in self.chat_ctx.items})
        if message is None:  # the tools have returned
            self.dead_air.stop()
            self.dead_air.on_result()
        reply = self._begin_reply(message, chat_ctx)
        attempt = self._begin_attempt(message, chat_ctx, reply.trace)
        chat_ctx = without_preresponses(chat_ctx)
        if self._history_max_tokens is not None:
            chat_ctx = bounded_history(chat_ctx, self._history_max_tokens)
        models = self._models.ask(with_readable_arguments(chat_ctx), tools, model_settings, self._decider.language)
        answer = Answer(models.chunks(), reply.trace, self._answer_timeout_s)
        answer.begun.add_done_callback(lambda _: self.events.emit("answer_started", reply.trace))
        preresponse = None
        try:
            if attempt and message:
                turn_end = wait_for_turn_commit(self, message.id)
                preresponse = await self._decider.decide(attempt, answer, turn_end, reply.trace)
            self.events.emit("preresponse_decided", reply.trace)
            if preresponse:
                self._commit(preresponse, reply)
                yield _preresponse_chunk(preresponse.text)
                yield FlushSentinel()
            lead = [preresponse.text] if preresponse else []
            async with contextlib.aclosing(self._waiting.before_answer(message, answer, reply)) as lines:
                async for line in lines:
                    lead.append(line.text)
                    self._waiting.note(line, reply)
                    yield _preresponse_chunk(line.text, " ".join(lead))
                    yield FlushSentinel()
            async for chunk in answer.chunks(self._preamble_filter(preresponse, lead)):
                if _tool_calls(chunk) and self._tool_limit:
                    wrap_tools(self.session, self._tool_limit.run)
                if self._acts(chunk):
                    await self._wait_to_act(message)
                yield chunk
            if answer.failed or (answer.is_empty and reply.trace.outcome != "silent_kind"):
                yield FlushSentinel()
                yield self.apology  # empty in a language without one
            elif answer.calls_tool.done():
                phrase = attempt.predicted_text if attempt and answer.only_calls_tools and not lead else None
                self._waiting.while_tools_work(message, answer, reply, phrase)
        finally:
            await utils.aio.cancel_and_wait(answer.task)
            if attempt:
                await attempt.aclose()

    async def tts_node(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncIterable[rtc.AudioFrame]:
        """Speak a segment; audio that is ready is not synthesised again."""
        reply = self._replies.current()
        text = self.floor.follow_text(text)
        synthesize = functools.partial(self._synthesize, model_settings=model_settings)
        if reply and (preresponse := reply.take_preresponse()):
            async for frame in self._router.preresponse(preresponse, text, reply.trace, synthesize):
                yield frame
            return
        spoken = TextTee(text)
        try:
            async for frame in self._router.sentence_or_answer(spoken, reply.trace if reply else None, synthesize):
                yield frame
        except APIError as error:
            report_voice_silent(self.session, error)
            await self._apologizer.on_voice_failure(self, spoken.text, reply.message_id if reply else None)
            raise  # so that livekit-agents keeps unspoken text out of the history

    async def realtime_audio_output_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterable[rtc.AudioFrame]:
        """Pass the audio of a realtime model on: it speaks itself, so pre-responses are off."""
        if self.strategy is not None:
            self.strategy = None
            logger.warning("pre-responses are off: a realtime model speaks for itself")
        async for frame in Agent.default.realtime_audio_output_node(self, audio, model_settings):
            yield frame

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, llm.ChatMessage) and event.item.role == "user":
            self.caller_transcript.end_turn()

    def _begin_reply(self, message: llm.ChatMessage | None, chat_ctx: llm.ChatContext) -> Reply:
        caller = message or last_message(chat_ctx, "user")
        if message is None and caller and (same_turn := self.trace(caller.id)):  # as in the reply after a tool call
            return self._replies.begin(same_turn, None)
        if self._replies.latest:
            self._decider.latency.observe(self._replies.latest.trace)
        return self._replies.begin(TurnTrace(self.strategy_name), message)

    def _begin_attempt(
        self, message: llm.ChatMessage | None, chat_ctx: llm.ChatContext, trace: TurnTrace
    ) -> Attempt | None:
        if message is None:
            return None
        agent_text = _text_of(last_message(chat_ctx, "assistant"))
        text = message.text_content or ""
        if self._was_acknowledged(text):
            trace.outcome = "continued"
            return None
        return self._decider.begin(self.strategy, text, agent_text, trace)

    def _silence_s(self) -> float | None:
        """Return the silence of the turn that is answered; ``None`` if it was typed: no sound of the caller ended."""
        speech = current_speech_handle()
        is_typed = speech is not None and speech.input_details.modality == "text"
        return None if is_typed else self.floor.silence_s

    def _was_acknowledged(self, text: str) -> bool:
        """Whether the caller has heard a pre-response to the beginning of this turn."""
        reopened = self._reopened
        return reopened is not None and reopened.preresponse_heard and text.startswith(reopened.text)

    def _on_turn_reopened(self, reopened: ReopenedTurn) -> None:
        heard = reopened.preresponse_heard or self._was_acknowledged(reopened.text)
        self._reopened = dataclasses.replace(reopened, preresponse_heard=heard)
        self.caller_transcript.reopen_turn(reopened.text)
        self.events.emit("turn_reopened", reopened.message_id)

    def _acts(self, chunk: Chunk) -> bool:
        """Whether a chunk calls a tool that may have side effects."""
        return any(call.name not in self._early_tools for call in _tool_calls(chunk))

    async def _wait_to_act(self, message: llm.ChatMessage | None) -> None:
        """Return when the caller's turn has certainly ended."""
        if message is not None and self.floor.is_attached:
            await wait_for_turn_commit(self, message.id)
            await self.floor.wait_to_act()

    def _preamble_filter(self, preresponse: Preresponse | None, lead: Sequence[str]) -> PreambleFilter | None:
        """Return what leaves out an opening that repeats the move just spoken.

        Args:
            preresponse: The pre-response, if there was one.
            lead: All that was spoken before the answer: the pre-response and fillers.
        """
        if not lead:
            return None
        move = preresponse.move if preresponse and len(lead) == 1 else Move.LOOK_UP  # as fillers do
        same = [each for each in SPOKEN_MOVES if each is not Move.GREETING or each is move]
        if move is not None:
            same = [each for each in same if each.group is move.group]
        phrases = [phrase for each in same for phrase in self.phrases.of(each)]
        return PreambleFilter(Openings(self._decider.language, lead[-1], move, phrases))

    def last_text(self) -> str | None:
        """Return what the agent said last, as far as it was spoken; a question to a silent caller does not count."""
        messages = (item for item in reversed(self.chat_ctx.items) if item.type == "message")
        said = (each for each in messages if each.role == "assistant" and SILENCE_QUESTION_EXTRA_KEY not in each.extra)
        return _text_of(next(said, None))

    def _commit(self, preresponse: Preresponse, reply: Reply) -> None:
        """Note a pre-response that is going to be heard."""
        reply.unspoken = preresponse
        reply.trace.source = preresponse.source
        reply.trace.move = preresponse.move and preresponse.move.value
        reply.trace.lead_segments += 1
        self._decider.recent.append(preresponse.text)
        if reply.message_id is not None:
            self.dead_air.begin_turn(reply.message_id)
        self.dead_air.on_spoken(preresponse.text)
        self.dead_air.silence.expect_sound(self._voice_timeout_s)
        self.floor.on_preresponse()
        self.events.emit("preresponse_started", preresponse.text, preresponse.source)

    def _has_handed_off(self) -> bool:
        """Whether another agent talks to the caller, as while a tool awaits an ``AgentTask``."""
        return self.session.current_agent is not self

    def _synthesize(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncIterator[rtc.AudioFrame]:
        tts_input = TTSInput(speakable(text, self._decider.language, numbers=self._numbers_as_words))
        frames = Agent.default.tts_node(self, tts_input, model_settings)
        return with_timeout(frames, tts_input, self._voice_timeout_s)

    def _synthesize_ahead(self, text: str) -> AsyncIterable[rtc.AudioFrame] | None:
        """Start the synthesis of a text that may be spoken; ``None`` for a session without audio."""
        if not self._waiting.has_voice:
            return None
        return self._synthesize(_single(text), ModelSettings())


def _text_of(message: llm.ChatMessage | None) -> str | None:
    return message.text_content if message else None


async def _single(text: str) -> AsyncIterator[str]:
    yield text


def _tool_calls(chunk: Chunk) -> Sequence[llm.FunctionToolCall]:
    return chunk.delta.tool_calls if isinstance(chunk, llm.ChatChunk) and chunk.delta else []


def _preresponse_chunk(text: str, lead: str | None = None) -> llm.ChatChunk:
    """Return the chunk of a pre-response or filler; ``lead`` is all that the message begins with before the answer."""
    # livekit-agents joins segments without a space, and keeps `extra` with the message in the history.
    delta = llm.ChoiceDelta(role="assistant", content=f"{text} ", extra={PRERESPONSE_EXTRA_KEY: lead or text})
    return llm.ChatChunk(id=utils.shortuuid("preresponse_"), delta=delta)
