"""``python benchmarks/contenders/pipecat_agent.py --room NAME``: the voice agent of Pipecat's quickstart.

The pipeline of ``pipecat init`` (voice agent, LiveKit) with the services that our worker uses: Deepgram's live
transcription, one Groq chat model, OpenAI's speech. Nothing is spoken before the answer, and the caller is not greeted.
It serves all callers in the room until SIGTERM, or until the room is closed.

Everything about turns is Pipecat 1.14's default:

- Silero VAD (shipped with Pipecat): speech starts after 0.2 s and stops after 0.2 s, confidence 0.7, volume 0.6.
- A turn starts by VAD, or by a transcript where VAD detected nothing, and interrupts the agent.
- A turn ends when smart-turn v3.2 (shipped too, on CPU) calls the speech complete, or after 3 s of silence, *and* its
  transcript has arrived. Deepgram is asked to finalize when VAD detects the end. The result of that
  ends the turn at once; any other 0.35 s after the speech, or on arrival if that is later.
- Deepgram: nova-3-general, English, interim results, punctuation; endpointing is left to Deepgram.
- OpenAI's speech is requested sentence by sentence.

With TOOL_SECONDS set, the agent has a tool that takes so long, and says a line when it is called, as the examples of
function calling in Pipecat's repository do: a TTSSpeakFrame on the event ``on_function_calls_started``. The line is one
of our worker's.

Environment variables are named as for our worker: LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET,
DEEPGRAM_API_KEY, GROQ_API_KEY, OPENAI_API_KEY, optionally DEEPGRAM_BASE_URL, GROQ_BASE_URL, GROQ_MAIN_MODEL,
OPENAI_BASE_URL, SYSTEM_PROMPT, ANSWER_MAX_TOKENS. Needs the dependency group ``pipecat``.
"""

# mypy: disable-error-code="import-not-found"
# Pipecat is not in the environment that is linted.

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from livekit import api
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker, ProcessorUnusablePolicy
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.groq.llm import GroqLLMService
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.livekit.transport import LiveKitParams, LiveKitTransport
from pipecat.workers.runner import WorkerRunner

from benchmarks.contenders.slow_tool import take_time

_IDENTITY = "agent-pipecat"
_REQUIRED = (
    "LIVEKIT_URL",
    "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET",
    "DEEPGRAM_API_KEY",
    "GROQ_API_KEY",
    "OPENAI_API_KEY",
)


def _env(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def _token(room: str) -> str:
    access = api.AccessToken(_env("LIVEKIT_API_KEY"), _env("LIVEKIT_API_SECRET"))
    grants = api.VideoGrants(room_join=True, room_create=True, room=room)
    return access.with_identity(_IDENTITY).with_kind("agent").with_grants(grants).to_jwt()


def _context_with_tool(room: str, llm: GroqLLMService, tts: OpenAITTSService) -> LLMContext:
    async def look_up(params: FunctionCallParams) -> None:
        """Look up what the caller asks for."""
        await params.result_callback(await take_time(room))

    async def speak(*_: object) -> None:
        await tts.queue_frame(TTSSpeakFrame("Let me check."))

    llm.add_event_handler("on_function_calls_started", speak)
    return LLMContext(tools=[look_up])


async def run(room: str) -> bool:
    """Serve a room; return whether every processor started and none failed."""
    transport = LiveKitTransport(
        _env("LIVEKIT_URL"), _token(room), room, LiveKitParams(audio_in_enabled=True, audio_out_enabled=True)
    )
    stt = DeepgramSTTService(
        api_key=_env("DEEPGRAM_API_KEY"),
        # Deepgram's SDK adds the path itself, LiveKit's plugin wants it in the address.
        base_url=_env("DEEPGRAM_BASE_URL", "https://api.deepgram.com").rstrip("/").removesuffix("/v1/listen"),
    )
    llm = GroqLLMService(
        api_key=_env("GROQ_API_KEY"),
        base_url=_env("GROQ_BASE_URL", "https://api.groq.com/openai/v1"),
        settings=GroqLLMService.Settings(
            model=_env("GROQ_MAIN_MODEL", "llama-3.3-70b-versatile"),
            system_instruction=_env("SYSTEM_PROMPT") or None,
            **({"max_completion_tokens": int(_env("ANSWER_MAX_TOKENS"))} if _env("ANSWER_MAX_TOKENS") else {}),
        ),
    )
    tts = OpenAITTSService(
        api_key=_env("OPENAI_API_KEY"),
        base_url=_env("OPENAI_BASE_URL") or None,
        settings=OpenAITTSService.Settings(model="gpt-4o-mini-tts", voice="ash"),
    )
    context = _context_with_tool(room, llm, tts) if _env("TOOL_SECONDS") else LLMContext()
    user_aggregator, assistant_aggregator = LLMContextAggregatorPair(
        context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    processors = [transport.input(), stt, user_aggregator, llm, tts, transport.output(), assistant_aggregator]
    worker = PipelineWorker(
        Pipeline(processors),
        idle_timeout_secs=None,  # a benchmark may not call for a long time
        processor_unusable_policy=ProcessorUnusablePolicy.END,
    )
    runner = WorkerRunner(handle_sigterm=True)

    def is_usable() -> bool:
        return all(processor.is_usable for processor in processors)

    async def on_started(*_: object) -> None:
        if is_usable():  # connected to the room and to Deepgram; Pipecat starts without too
            print("pipecat agent is in the room", flush=True)

    async def on_disconnected(*_: object) -> None:
        await runner.cancel()

    worker.add_event_handler("on_pipeline_started", on_started)
    transport.add_event_handler("on_disconnected", on_disconnected)
    await runner.add_workers(worker)
    await runner.run()
    return is_usable()


def main() -> int:
    """Serve the room that the command line names."""
    parser = argparse.ArgumentParser(description="The voice agent of Pipecat's quickstart.")
    parser.add_argument("--room", required=True, help="LiveKit room to join")
    room = parser.parse_args().room
    if missing := [name for name in _REQUIRED if not _env(name)]:
        parser.error(f"not set: {', '.join(missing)}")
    logger.remove()
    logger.add(sys.stderr, level=_env("LOGURU_LEVEL", "WARNING"))  # what callers say is logged below that
    return 0 if asyncio.run(run(room)) else 1


if __name__ == "__main__":
    sys.exit(main())
