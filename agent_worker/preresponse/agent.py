"""The pre-response engine: something fitting is said at once while the large model prepares the answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Container, Iterable
from typing import Any

from livekit import rtc
from livekit.agents import Agent, APIError, ConversationItemAddedEvent, FlushSentinel, ModelSettings, llm, stt, utils

from agent_worker.audio.silence import trim_silence
from agent_worker.audio.tts_stream import (
    TTS_TIMEOUT_S,
    PhraseAudio,
    TTSInput,
    VoiceSilentError,
    report_silence,
    with_timeout,
)
from agent_worker.core.log import logger
from agent_worker.core.settings import StrategyName
from agent_worker.preresponse.answer import Answer, Chunk
from agent_worker.preresponse.fast_reply import DEFAULT_PRERESPONSE_PROMPT
from agent_worker.preresponse.latency import LatencyEstimator
from agent_worker.preresponse.phrases import KEPT_FRESH, PhraseBook
from agent_worker.preresponse.strategies import (
    Attempt,
    CallerTurn,
    ModelStrategy,
    PhraseStrategy,
    Preresponse,
    Strategy,
)
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.telemetry.unreported_usage import UnreportedUsage
from agent_worker.text import messages
from agent_worker.text.intent_classifier import classify
from agent_worker.text.sanitize import sanitize_event
from agent_worker.turn_taking.transcript_timeout import reconnect_on, report_transcript_timeout

ANSWER_NOTE = (
    "Begin with the answer itself, without an introduction: the caller's words have been acknowledged already."
)

#: Key of ``ChatMessage.extra`` under which a reply carries the pre-response that it begins with.
EXTRA_KEY = "preresponse"

#: What became of the pre-response in a turn. Of the first three, ``TurnTrace.outcome`` only knows ``spoken``.
OUTCOMES = (
    *("spoken", "interrupted", "not_heard"),
    *("off", "undecided", "silent_kind", "answer_first", "nothing_to_say", "failed"),
)

#: How long a tool may be at work in silence, and how long a tool call is held up for a pre-response, seconds.
_SLOW_TOOL = 1.0
_TOOL_PATIENCE = 0.3
_LONGEST_DOUBT = 5.0
_KEPT_TIMELINES = 16


class PreResponseAgent(Agent):
    """An agent whose replies begin with a short pre-response, spoken while the main model prepares the answer.

    The main model is asked at the same moment as the strategy. The pre-response is spoken as a segment of its
    own, then the answer, all in one ``SpeechHandle``: barge-in stops both, and the chat history holds what was
    spoken. There is none if the answer is there as soon, if the caller only backchannelled or said goodbye, or
    in the reply after a tool call. When the main model fails, an apology is spoken: never silence.

    Call :func:`agent_worker.audio.output.pace` after ``session.start``, or the pre-response starts late.

    Args:
        instructions: The main model's system prompt. A note that somebody speaks before it is added.
        fast_llm: The fast model, needed by ``llm`` and ``hybrid``. The main model is the ``llm`` of the session
            or of this agent; it has to be an :class:`livekit.agents.llm.LLM`. With a realtime model, which
            speaks itself, the engine is off.
        strategy: Where pre-responses come from, by name or a :class:`agent_worker.preresponse.strategies.Strategy`.
        language: Of the callers, such as ``en`` or ``en-US``.
        phrases: What can be said. Default: the phrases of the language that come with the package.
        phrase_audio: The phrases' audio. Without it each is synthesised when it is spoken.
        preresponse_prompt: The fast model's system prompt.
        budget: How long ``hybrid`` makes the caller wait for the fast model after the end of the turn, seconds.
        quick_answer: An answer expected to be heard within so many seconds needs no pre-response.
        answer_timeout: An answer that has not begun so many seconds after it was asked for, from whichever model, has
            failed.
        voice_timeout: How long the voice may let the caller wait for a sentence, seconds.
        **options: Everything else that :class:`livekit.agents.Agent` takes.

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
        phrase_audio: PhraseAudio | None = None,
        preresponse_prompt: str = DEFAULT_PRERESPONSE_PROMPT,
        budget: float = 0.0,
        quick_answer: float = 0.6,
        answer_timeout: float | None = None,
        voice_timeout: float = TTS_TIMEOUT_S,
        **options: Any,
    ) -> None:
        # In the instructions, and not beside each turn: they stay the same, so the provider can cache them.
        note = f" {ANSWER_NOTE}" if strategy != "off" else ""
        super().__init__(instructions=instructions + note, **options)
        self.fast_llm = fast_llm
        self.language = language
        self.phrases = phrases or PhraseBook.load(language)
        self.phrase_audio = phrase_audio
        self.quick_answer = quick_answer
        self.answer_timeout = answer_timeout
        self.voice_timeout = voice_timeout
        self._prompt = preresponse_prompt
        self._budget = budget
        self._forecast = LatencyEstimator()
        self._used: deque[str] = deque(maxlen=KEPT_FRESH)
        self._speech: Preresponse | None = None
        self._timeline: TurnTrace | None = None
        self._answered: str | None = None
        self._timelines: OrderedDict[str, TurnTrace] = OrderedDict()
        self._unheard = asyncio.Event()
        self._slow_tool: asyncio.Task[None] | None = None
        #: Called with each request that was cancelled while its model was answering.
        self.on_cut_off: Callable[[UnreportedUsage], None] = lambda _: None
        #: Called with the text and the source (``phrase`` or ``llm``) of each pre-response that is going to be heard.
        self.on_preresponse: Callable[[str, str], None] = lambda *_: None
        self.strategy = strategy

    @property
    def strategy(self) -> Strategy | None:
        """Where pre-responses come from; ``None`` is off. A change takes effect in the next turn."""
        return self._strategy

    @strategy.setter
    def strategy(self, strategy: StrategyName | Strategy | None) -> None:
        self._strategy = self._named(strategy) if isinstance(strategy, str) else strategy

    def _named(self, name: str) -> Strategy | None:
        if name == "off":
            return None
        phrases = PhraseStrategy(self.phrases, self.phrase_audio.seconds if self.phrase_audio else lambda _: None)
        if name == "phrase":
            return phrases
        if name not in ("llm", "hybrid"):
            raise ValueError(f"no strategy {name!r}: use llm, phrase, hybrid or off")
        if self.fast_llm is None:
            raise ValueError(f"strategy {name!r} needs a fast_llm")
        budget = self._budget if name == "hybrid" else None
        return ModelStrategy(self.fast_llm, phrases, self._synthesised, self._prompt, budget)

    def timeline(self, message_id: str) -> TurnTrace | None:
        """The instants of one of the last turns, by the id of the caller's message."""
        return self._timelines.get(message_id)

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterable[Chunk]:
        """Yield the pre-response, a flush, then the main model's answer."""
        if self._slow_tool:
            self._slow_tool.cancel()
        own = {item.id for item in self.chat_ctx.items}
        message = _callers_message(chat_ctx, own)
        self._answered = message.id if message else None
        timeline = self._begin_timeline(message, chat_ctx)
        attempt = self._begin_attempt(message, chat_ctx, timeline)
        asked = self._ask_main_model(chat_ctx, tools, model_settings, attempt)
        answer = Answer(asked, timeline, chat_ctx, self.answer_timeout)
        preresponse = None
        try:
            if attempt and message:
                preresponse = await self._decide(attempt, answer, message.id, timeline)
            if preresponse:
                self._note_spoken(preresponse, timeline)
                yield _preresponse_chunk(preresponse.text)
                yield FlushSentinel()
            async for chunk in answer.chunks(strip_preamble_in=self.language if preresponse else None):
                yield chunk
            if answer.failed or (answer.empty and timeline.outcome != "silent_kind"):
                yield FlushSentinel()
                yield self.apology
            elif answer.only_calls_tools and attempt and attempt.predicted_text and not preresponse:
                self._slow_tool = asyncio.create_task(self._fill(attempt.predicted_text, timeline), name="slow_tool")
        finally:
            await utils.aio.cancel_and_wait(answer.task)
            if attempt:
                await attempt.aclose()

    async def stt_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterable[stt.SpeechEvent]:
        """Hear. A connection over which nothing has been understood is given up for a new one."""
        async for event in reconnect_on(Agent.default.stt_node(self, audio, model_settings), self._unheard):
            yield sanitize_event(event)

    def not_heard(self) -> None:
        """The caller has said something of which no transcript comes (``turn_taking.transcript_timeout``)."""
        self._unheard.set()
        report_transcript_timeout(self.session)
        self._say_sorry()  # whether its audio is there or not: it is not the voice that has failed

    async def tts_node(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncIterable[rtc.AudioFrame]:
        """Speak; what has been made already is not made again."""
        answered = self._answered
        words = aiter(text)
        first = await self._beginning(words)
        if first is None:
            return
        if (made := self._made(first, model_settings)) is not None:
            try:
                async for frame in made:
                    yield frame
            except APIError as error:  # livekit-agents would give up the whole reply, the answer too
                logger.warning("a pre-response could not be spoken: %s", type(error).__name__)
                self._report_silence(error)
            first = await anext(words, None)
            if first is None:
                return
        spoken = self._asked_to_speak(_chain(first, words), model_settings)
        try:
            async for frame in trim_silence(spoken, trailing=False):
                if self._timeline and self._timeline.main_first_token and not self._timeline.main_first_audio:
                    self._timeline.main_first_audio = self._timeline.now()
                yield frame
        except APIError as error:
            self._report_silence(error)
            if not self.apology.startswith(first.strip()):
                await self._until_end_of_turn(answered)
                self.apologise()
            raise  # and what was not heard is not in the history

    def _report_silence(self, error: APIError) -> None:
        if isinstance(error, VoiceSilentError):
            report_silence(self.session, error)

    async def _beginning(self, words: AsyncIterator[str]) -> str | None:
        """The first words, to the end of a text that has been made beforehand if that is what they begin.

        The filters that the text has come through pass it on in small pieces.
        """
        first = await anext(words, None)
        while first is not None and self.phrase_audio and self.phrase_audio.has_longer(first.strip()):
            if (more := await anext(words, None)) is None:
                break
            first += more
        return first

    def apologise(self) -> None:
        """Say that something went wrong, if that can be said without the voice that may be what went wrong."""
        if self.phrase_audio and self.phrase_audio.frames(self.apology):
            self._say_sorry()

    def _say_sorry(self) -> None:
        if self.session.user_state != "speaking":
            self.session.say(self.apology)

    async def realtime_audio_output_node(
        self, audio: AsyncIterable[rtc.AudioFrame], model_settings: ModelSettings
    ) -> AsyncIterable[rtc.AudioFrame]:
        """Only called with a realtime model: it speaks itself, and there is nothing to put before it."""
        if self.strategy is not None:
            self.strategy = None
            logger.warning("pre-responses are off: a realtime model speaks for itself")
        async for frame in Agent.default.realtime_audio_output_node(self, audio, model_settings):
            yield frame

    @property
    def fixed_texts(self) -> list[str]:
        """What this agent may say word by word: worth synthesising beforehand."""
        return [*self.phrases.all(), self.apology]

    @property
    def apology(self) -> str:
        """Said when something failed."""
        return messages.apology(self.language)

    def _begin_timeline(self, message: llm.ChatMessage | None, chat_ctx: llm.ChatContext) -> TurnTrace:
        caller = message or _last_message(chat_ctx, "user")
        if message is None and caller and (same_turn := self._timelines.get(caller.id)):
            self._timeline = same_turn  # as in the reply after a tool call
            return same_turn
        if self._timeline:
            self._forecast.learn(self._timeline)
        self._timeline = TurnTrace(self.strategy.name if self.strategy else "off", self.on_cut_off)
        if message:
            self._timelines[message.id] = self._timeline
            while len(self._timelines) > _KEPT_TIMELINES:
                self._timelines.popitem(last=False)
        return self._timeline

    def _begin_attempt(
        self, message: llm.ChatMessage | None, chat_ctx: llm.ChatContext, timeline: TurnTrace
    ) -> Attempt | None:
        if message is None or self.strategy is None:
            return None
        words, agents = message.text_content or "", _last_message(chat_ctx, "assistant")
        said = classify(words, self.language, agents.text_content if agents else None)
        timeline.kind = said.intent.value
        timeline.outcome = "silent_kind" if said.suppresses_preresponse else "undecided"
        if said.suppresses_preresponse:
            return None
        turn = CallerTurn(words, said.intent, self.language, tuple(self._used), timeline, said.alternatives)
        try:
            return self.strategy.begin(turn)
        except Exception as error:
            logger.error("strategy %s failed, no pre-response: %s", self.strategy.name, type(error).__name__)
            timeline.outcome = "failed"
            return None

    def _ask_main_model(
        self,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        model_settings: ModelSettings,
        attempt: Attempt | None,
    ) -> AsyncIterable[Any]:
        if attempt and attempt.predicted_text:
            # At the very end: everything before it is as it will be in the next turn, so it can be cached.
            chat_ctx = chat_ctx.copy()
            chat_ctx.add_message(
                role="system",
                content="The caller hears a short acknowledgement first, such as "
                f'"{attempt.predicted_text}" Go on from there.',
            )
        return Agent.default.llm_node(self, chat_ctx, tools, model_settings)

    async def _decide(
        self, attempt: Attempt, answer: Answer, message_id: str, timeline: TurnTrace
    ) -> Preresponse | None:
        """What to say before the answer, decided when the turn has ended."""
        ended = asyncio.create_task(self._end_of_turn(message_id), name="end_of_turn")
        try:
            # Nothing is audible before the turn has ended, so an end that is never seen costs only this wait.
            first = await _first(ended, answer.speakable, timeout=_LONGEST_DOUBT)
        finally:
            await utils.aio.cancel_and_wait(ended)
        if first is answer.speakable or await self._answer_is_quick(answer, timeline):
            timeline.outcome = "answer_first"
            return None
        return await self._choose(attempt, answer, timeline)

    async def _choose(self, attempt: Attempt, answer: Answer, timeline: TurnTrace) -> Preresponse | None:
        """What the strategy wants to say, unless the answer is there before it."""
        choosing = asyncio.create_task(attempt.select(self._forecast.remaining(timeline)), name="preresponse_choice")
        try:
            await _first(choosing, answer.speakable, answer.calls_tool)
            if answer.calls_tool.done() and not answer.speakable.done():
                await _first(choosing, answer.speakable, timeout=_TOOL_PATIENCE)
            if not choosing.done():
                timeline.outcome = "answer_first"
                return None
            if error := choosing.exception():  # a strategy that fails must not cost the caller the answer
                logger.error("strategy failed, no pre-response: %s", type(error).__name__)
                timeline.outcome = "failed"
                return None
            preresponse = choosing.result()
            timeline.outcome = "spoken" if preresponse else "nothing_to_say"
            return preresponse
        finally:
            await utils.aio.cancel_and_wait(choosing)

    async def _answer_is_quick(self, answer: Answer, timeline: TurnTrace) -> bool:
        """Whether the answer is there, or comes so soon that a pre-response would only be in its way."""
        if answer.speakable.done():
            return True
        remaining = self._forecast.remaining(timeline)
        if remaining is None or remaining > self.quick_answer:
            return False
        return await _first(answer.speakable, answer.calls_tool, timeout=self.quick_answer) is not None

    async def _until_end_of_turn(self, message_id: str | None) -> None:
        """An answer may be spoken, and fail, while the caller only pauses."""
        if message_id is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._end_of_turn(message_id), _LONGEST_DOUBT)

    async def _end_of_turn(self, message_id: str) -> None:
        """Wait until the caller's message is part of the conversation: the reply to it is going to be spoken.

        This node often runs before that, on a transcript that may still change.
        """
        added, session = asyncio.Event(), self.session

        def on_item(event: ConversationItemAddedEvent) -> None:
            if isinstance(event.item, llm.ChatMessage) and event.item.id == message_id:
                added.set()

        session.on("conversation_item_added", on_item)
        try:
            if not any(item.id == message_id for item in self.chat_ctx.items):
                await added.wait()
        finally:
            session.off("conversation_item_added", on_item)

    def _note_spoken(self, preresponse: Preresponse, timeline: TurnTrace) -> None:
        self._speech = preresponse
        self._used.append(preresponse.text)
        timeline.source = preresponse.source
        self.on_preresponse(preresponse.text, preresponse.source)

    def _made(self, first: str, model_settings: ModelSettings) -> AsyncIterator[rtc.AudioFrame] | None:
        """The audio of a text that begins a segment, if it is the pre-response or has been made beforehand."""
        text = first.strip()
        frames = self.phrase_audio.frames(text) if self.phrase_audio else ()
        made = _replay(frames) if frames else None
        if not self._speech or self._speech.text != text:
            return made
        preresponse, self._speech = self._speech, None
        if preresponse.speech:
            return preresponse.speech.frames()
        spoken = made or self._voiced(first, model_settings)
        return _timed(spoken, self._timeline)

    def _voiced(self, text: str, model_settings: ModelSettings) -> AsyncIterator[rtc.AudioFrame]:
        return trim_silence(self._asked_to_speak(_chain(text), model_settings), trailing=True)

    def _asked_to_speak(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncIterator[rtc.AudioFrame]:
        given = TTSInput(text)
        return with_timeout(Agent.default.tts_node(self, given, model_settings), given, self.voice_timeout)

    def _synthesised(self, text: str) -> AsyncIterable[rtc.AudioFrame] | None:
        if self.session.output.audio is None or not self.session.output.audio_enabled:
            return None
        return self._asked_to_speak(_chain(text), ModelSettings())

    async def _fill(self, phrase: str, timeline: TurnTrace) -> None:
        """A tool is at work and nothing has been said: say something if it takes long."""
        session = self.session
        await asyncio.sleep(_SLOW_TOOL)
        if session.agent_state == "thinking" and session.user_state != "speaking":
            self._used.append(phrase)
            timeline.source, timeline.outcome, timeline.filler = "phrase", "spoken", phrase
            self.on_preresponse(phrase, "phrase")
            session.say(phrase)


async def _first(*awaited: asyncio.Future[Any], timeout: float | None = None) -> asyncio.Future[Any] | None:
    """The first that is done, in the order given if several are; ``None`` if none is in time."""
    await asyncio.wait(awaited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    return next((one for one in awaited if one.done()), None)


async def _chain(first: str, rest: AsyncIterator[str] | None = None) -> AsyncIterator[str]:
    yield first
    if rest is not None:
        async for piece in rest:
            yield piece


async def _replay(frames: Iterable[rtc.AudioFrame]) -> AsyncIterator[rtc.AudioFrame]:
    for frame in frames:
        yield frame


async def _timed(frames: AsyncIterator[rtc.AudioFrame], timeline: TurnTrace | None) -> AsyncIterator[rtc.AudioFrame]:
    """Note when the first audio of the pre-response is there."""
    async for frame in frames:
        if timeline and timeline.fast_first_audio is None:
            timeline.fast_first_audio = timeline.now()
        yield frame


def _callers_message(chat_ctx: llm.ChatContext, own: Container[str]) -> llm.ChatMessage | None:
    """What the caller just said; ``None`` when the model is not replying to the caller, as after a tool call.

    Args:
        chat_ctx: What the main model will see. A hook may have put notes behind the caller's words.
        own: Ids of what is in the agent's own history.
    """
    for item in reversed(chat_ctx.items):
        if item.type != "message":
            return None
        if item.role == "user":
            return item
        if item.role == "assistant" and item.id in own:
            return None
    return None


def _last_message(chat_ctx: llm.ChatContext, role: llm.ChatRole) -> llm.ChatMessage | None:
    return next((item for item in reversed(chat_ctx.items) if item.type == "message" and item.role == role), None)


def _preresponse_chunk(text: str) -> llm.ChatChunk:
    # The framework joins segments without a space, and keeps `extra` with the message in the history.
    delta = llm.ChoiceDelta(role="assistant", content=f"{text} ", extra={EXTRA_KEY: text})
    return llm.ChatChunk(id=utils.shortuuid("preresponse_"), delta=delta)
