"""Prepare the worker and the processes of its calls before the first call, so that no caller waits for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from livekit.agents import AgentServer, JobProcess, tokenize

from agent_worker.core.compat.livekit import import_client_modules, load_certificates
from agent_worker.core.log import logger
from agent_worker.core.log_protection import protect_log_of_calls
from agent_worker.core.settings import Settings, SettingsT
from agent_worker.lifecycle.call_identity import version_of
from agent_worker.lifecycle.recording import notice_of
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.factory import build_agent
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.policy import MovePolicy
from agent_worker.providers.stack import VoiceStack
from agent_worker.telemetry.pricing import Prices
from agent_worker.telemetry.session_meter import SessionMeter
from agent_worker.telemetry.tracing import send_trace_context, start_tracing
from agent_worker.text import guard
from agent_worker.text.intent_classifier import classify
from agent_worker.text.intent_model import IntentModel
from agent_worker.text.messages import (
    apology,
    backchannel,
    cut_off,
    farewell,
    silence_farewell,
    silence_questions,
    transfer,
    transfer_failed,
)
from agent_worker.text.move_model import MoveModel
from agent_worker.turn_taking.endpointing import load_models

_USERDATA_KEY = "call_parts"
#: How many phrases have audio before the worker takes calls.
_COMMON_PHRASES = 10
#: How long they may take in all before the worker starts without the rest.
_SYNTHESIS_TIMEOUT_S = 180.0
_SYNTHESIS_RETRY_INTERVAL_S = 60.0
#: How often the worker looks whether its calls have ended.
_IDLE_POLL_INTERVAL_S = 1.0


@dataclass(frozen=True)
class CallParts:
    """What a call runs on, built in its process before the call.

    Attributes:
        stack: The providers' clients.
        agent: The agent, with its phrases and their audio.
        meter: Measures both.
    """

    stack: VoiceStack
    agent: PreResponseAgent
    meter: SessionMeter

    @classmethod
    def of(cls, process: JobProcess) -> CallParts:
        """Return the parts that :func:`warm_up_process` built in this process."""
        parts: CallParts = process.userdata[_USERDATA_KEY]
        return parts


def warm_up_process(
    process: JobProcess, *, settings: SettingsT, build_stack: Callable[[SettingsT], VoiceStack], prices: Prices
) -> None:
    """Build the :class:`CallParts` of the next call, and do what would block the event loop during it.

    The phrases are read from disk, clients load certificates (0.1 s each), the end-of-turn models load their library
    and weights (0.5 s), the transcript's pace needs a table of syllables (0.2 s), and clients import most of their code
    with their first request (0.5 s in the first turn).
    """
    protect_log_of_calls()
    is_traced = start_tracing(settings, version_of(settings)) is not None
    stack = build_stack(settings)
    if is_traced:
        for component in (stack.stt, stack.fast_llm, stack.fallback_llm, stack.main_llm, stack.tts):
            send_trace_context(component)
    agent = build_agent(stack, settings)
    process.userdata[_USERDATA_KEY] = CallParts(stack, agent, SessionMeter(stack, prices))
    load_audio(agent, settings)
    load_shared_data()
    load_models(settings)
    load_certificates()
    text = "Is everything ready?"
    MovePolicy(settings.language).plan(text, None, classify(text, settings.language))
    guard.problem_with("Yes.", said="", language=settings.language, recent=())


def load_shared_data() -> None:
    """Load what depends on no setting. The process from which call processes are forked does it for all of them."""
    tokenize.basic.hyphenate_word("syllables")
    IntentModel.load()
    MoveModel.load()
    import_client_modules()


def load_audio(agent: PreResponseAgent, settings: Settings) -> None:
    """Load the cached audio of the agent's fixed texts, as far as it is not loaded yet. Blocks."""
    if agent.phrase_audio:
        agent.phrase_audio.load(fixed_texts(agent, settings))


def fixed_texts(agent: PreResponseAgent, settings: Settings) -> list[str]:
    """Return the texts that a call speaks word for word, the most important first."""
    phrases = (phrase for book in _books(agent, settings) for phrase in book.all())
    silence = _silence_texts(agent) if settings.silence_prompt_delay else ()
    cut_offs = _cut_off_texts(agent) if settings.call_continuation else ()
    transfers = _transfer_texts(agent) if settings.transfer_to else ()
    message = settings.sip_voicemail_message or ""
    texts = [*first_texts(agent, settings), *agent.waiting_texts, *silence, *cut_offs, *transfers, message, *phrases]
    return list(dict.fromkeys(filter(None, texts)))  # a language may have none


def _transfer_texts(agent: PreResponseAgent) -> Iterator[str]:
    for language in agent.languages:
        yield from (transfer(language), transfer_failed(language))


def _silence_texts(agent: PreResponseAgent) -> Iterator[str]:
    for language in agent.languages:
        yield from (*silence_questions(language), silence_farewell(language))


def _cut_off_texts(agent: PreResponseAgent) -> list[str]:
    return [cut_off(language)[0] for language in agent.languages]


def first_texts(agent: PreResponseAgent, settings: Settings) -> list[str]:
    """Return those of the fixed texts without which no call is taken: apology, greeting, farewell, common phrases."""
    texts = [apology(language) for language in agent.languages]
    if notice := notice_of(settings):
        texts.append(notice)
    if not settings.no_greeting:
        texts.append(settings.greeting)
    texts.extend(farewell(language) for language in agent.languages)
    if settings.agent_backchannels:
        texts.extend(backchannel(language) for language in agent.languages)
    books = _books(agent, settings)
    texts.extend(phrase for book in books for phrase in book.common(_COMMON_PHRASES // len(books)))
    return list(dict.fromkeys(filter(None, texts)))  # a language may have none


def _books(agent: PreResponseAgent, settings: Settings) -> Sequence[PhraseBook]:
    return agent.books if _has_preresponses(agent, settings) else ()


def _has_preresponses(agent: PreResponseAgent, settings: Settings) -> bool:
    return agent.strategy is not None or settings.callers_choose_strategy


async def synthesize_first_texts(stack: VoiceStack, settings: Settings, prices: Prices) -> int:
    """Synthesise those of :func:`first_texts` whose audio is not in the cache yet.

    A text without audio is synthesised when it is spoken; so no apology is heard when the TTS fails.

    Args:
        stack: Its TTS speaks, and is closed afterwards.
        settings: Which texts there are.
        prices: To count what the synthesis costs.

    Returns:
        How many fixed texts have no audio still.

    Raises:
        BadPhrasesError: If the user's file of phrases cannot be used.
    """
    agent = build_agent(stack, settings)
    audio = agent.phrase_audio
    if audio is None:
        return 0
    missing = audio.load(fixed_texts(agent, settings))
    first = [text for text in first_texts(agent, settings) if text in missing]
    if not first:
        return len(missing)
    SessionMeter(stack, prices)  # subscribes to the TTS's metrics
    # Not logged: the worker, which sets up logging, has not started yet.
    print(f"synthesising {len(first)} phrases, once for this voice", file=sys.stderr, flush=True)
    try:
        await asyncio.wait_for(audio.make(first, stack.tts), _SYNTHESIS_TIMEOUT_S)
    except asyncio.TimeoutError:
        pass  # what is there is kept
    finally:
        await stack.tts.aclose()
    if failed := len(audio.load(first)):
        logger.warning("%d of the first phrases have no audio yet: they start later in a call", failed)
    return len(audio.load(missing))


def complete_phrase_audio(
    server: AgentServer,
    build_stack: Callable[[SettingsT], VoiceStack],
    settings: SettingsT,
    prices: Prices,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Synthesise, while the worker runs and nobody calls, the fixed texts that still have no audio.

    A failure is retried: the TTS may be back later.

    Args:
        server: The worker. The first attempt follows its start.
        build_stack: Builds the stack whose TTS speaks.
        settings: Which texts there are.
        prices: To count what the synthesis costs.
        sleep: Waits between two attempts.
    """
    tasks: set[asyncio.Task[None]] = set()

    @server.on("worker_started")
    def _start() -> None:
        synthesis = _synthesize_while_idle(server, build_stack, settings, prices, sleep)
        task = asyncio.create_task(synthesis, name="complete_phrase_audio")
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _synthesize_while_idle(
    server: AgentServer,
    build_stack: Callable[[SettingsT], VoiceStack],
    settings: SettingsT,
    prices: Prices,
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    stack = await asyncio.to_thread(build_stack, settings)
    agent = build_agent(stack, settings)
    SessionMeter(stack, prices)  # subscribes to the TTS's metrics
    assert agent.phrase_audio is not None
    texts = fixed_texts(agent, settings)
    while missing := await asyncio.to_thread(agent.phrase_audio.load, texts):
        if server.active_jobs:
            await sleep(_IDLE_POLL_INTERVAL_S)
        # One at a time: a call that comes in competes with one sentence at most.
        elif await agent.phrase_audio.make(missing[:1], stack.tts, concurrency=1):
            await sleep(_SYNTHESIS_RETRY_INTERVAL_S)
    logger.info("all phrases have audio now")
    await stack.tts.aclose()
