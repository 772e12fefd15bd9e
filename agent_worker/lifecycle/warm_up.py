"""What a worker does once before its first call, so that no caller waits for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from livekit.agents import AgentServer, JobProcess, tokenize

from agent_worker.app.call import build_agent
from agent_worker.core.compat.livekit import import_client_modules
from agent_worker.core.log import logger
from agent_worker.core.settings import Settings, SettingsT
from agent_worker.lifecycle.call_limit import farewell
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.providers.stack import VoiceStack
from agent_worker.telemetry.pricing import Prices
from agent_worker.telemetry.usage_meter import SessionMeter
from agent_worker.text import guard
from agent_worker.text.intent_classifier import classify
from agent_worker.text.intent_model import IntentModel

#: Keys of ``JobProcess.userdata`` under which the call finds its stack, its agent and what measures both.
STACK = "stack"
AGENT = "agent"
METER = "meter"
_LONGEST = 180.0  # seconds
_TRY_AGAIN_AFTER = 60.0


def warm_up_process(
    process: JobProcess, *, settings: SettingsT, build_stack: Callable[[SettingsT], VoiceStack], prices: Prices
) -> None:
    """Do in a process that waits for a call what would block the event loop in it.

    The phrases are read from disk, clients load certificates (0.1 s each), the transcript's pace needs a table of
    syllables (0.2 s), and clients import most of themselves with their first request (0.5 s in the first turn).
    """
    process.userdata[STACK] = stack = build_stack(settings)
    process.userdata[AGENT] = agent = build_agent(stack, settings)
    process.userdata[METER] = SessionMeter(stack, prices)
    read_audio(agent, settings)
    read_what_calls_share()
    intent = classify("Is everything ready?", settings.language).intent
    guard.problem_with("Yes.", said="", language=settings.language, recent=(), intent=intent)


def read_audio(agent: PreResponseAgent, settings: Settings) -> None:
    """Read the audio there is of what the agent says word by word, as far as it has not got it yet. Blocks."""
    if agent.phrase_audio:
        agent.phrase_audio.load(fixed_texts(agent, settings))


def read_what_calls_share() -> None:
    """Read what does not depend on settings: the process that calls' are forked from has done it for all of them."""
    tokenize.basic.hyphenate_word("syllables")
    IntentModel.load()
    import_client_modules()


def fixed_texts(agent: PreResponseAgent, settings: Settings) -> list[str]:
    """What a call says word by word, the least dispensable first."""
    texts = [agent.apology]
    if not settings.no_greeting:
        texts.append(settings.greeting)
    if settings.call_max_seconds is not None:
        texts.append(farewell(settings.language))
    preresponses = agent.strategy is not None or settings.callers_choose_strategy
    return [*texts, *agent.phrases.all()] if preresponses else texts


async def synthesize_phrases(stack: VoiceStack, settings: Settings, prices: Prices) -> int:
    """Have spoken what a call says word by word, as far as it is not in the cache yet.

    Without their audio texts are synthesised when they are spoken, and a voice that fails is not apologised for.

    Returns:
        How many could not be.

    Raises:
        BadPhrasesError: If the file of own phrases cannot be used.
    """
    agent = build_agent(stack, settings)
    audio = agent.phrase_audio
    if audio is None:
        return 0
    missing = audio.load(fixed_texts(agent, settings))
    if not missing:
        return 0
    SessionMeter(stack, prices)  # what the phrases cost is counted too
    # Not logged: the worker, which sets up logging, has not started yet.
    print(f"having {len(missing)} phrases spoken, once for this voice", file=sys.stderr, flush=True)
    try:
        failed = await asyncio.wait_for(audio.make(missing, stack.tts), _LONGEST)
    except asyncio.TimeoutError:
        failed = len(audio.load(missing))
    finally:
        await stack.tts.aclose()
    if failed:
        logger.warning("%d phrases could not be spoken beforehand: they will begin later in a call", failed)
    return failed


def retry_phrase_synthesis(
    server: AgentServer, build_stack: Callable[[SettingsT], VoiceStack], settings: SettingsT, prices: Prices
) -> None:
    """Try again, while the worker runs, what could not be spoken beforehand: the voice may be there later."""
    trying: set[asyncio.Task[None]] = set()

    @server.on("worker_started")
    def _start() -> None:
        task = asyncio.create_task(_until_all_are_voiced(build_stack, settings, prices), name="retry_phrase_synthesis")
        trying.add(task)
        task.add_done_callback(trying.discard)


async def _until_all_are_voiced(
    build_stack: Callable[[SettingsT], VoiceStack], settings: SettingsT, prices: Prices
) -> None:
    stack = await asyncio.to_thread(build_stack, settings)
    agent = build_agent(stack, settings)
    SessionMeter(stack, prices)
    assert agent.phrase_audio is not None
    texts = fixed_texts(agent, settings)
    while missing := await asyncio.to_thread(agent.phrase_audio.load, texts):
        await asyncio.sleep(_TRY_AGAIN_AFTER)
        await agent.phrase_audio.make(missing, stack.tts)
    logger.info("all phrases are spoken beforehand now")
    await stack.tts.aclose()
