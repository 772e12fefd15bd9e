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

Variants, each as Pipecat's documentation has it:

- PIPECAT_LLM=backend: `LLMWithBackend` (learn/llm-with-backend), all defaults. The model named FRONTEND_MODEL speaks
  and has the tool `delegate`; the one named BACKEND_MODEL works, and has the slow tool if there is one.
- PIPECAT_STT=flux: Deepgram Flux with ``enable_eager_end_of_turn``, which decides the turns instead of smart-turn.
- PIPECAT_FILTER=rnnoise: RNNoise before everything else, the one noise filter of Pipecat without an account.
- PIPECAT_MIN_WORDS=3: an interruption takes three words (`MinWordsUserTurnStartStrategy`).

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
from pipecat.audio.filters.base_audio_filter import BaseAudioFilter
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import TTSSpeakFrame
from pipecat.pipeline.llm_with_backend import LLMWithBackend
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker, ProcessorUnusablePolicy
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.groq.llm import GroqLLMService
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.livekit.transport import LiveKitParams, LiveKitTransport
from pipecat.turns.user_start import MinWordsUserTurnStartStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.llm import BackendLLMWorker
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


def _model(name: str, instruction: str | None) -> GroqLLMService:
    return GroqLLMService(
        api_key=_env("GROQ_API_KEY"),
        base_url=_env("GROQ_BASE_URL", "https://api.groq.com/openai/v1"),
        settings=GroqLLMService.Settings(
            model=name,
            system_instruction=instruction,
            **({"max_completion_tokens": int(_env("ANSWER_MAX_TOKENS"))} if _env("ANSWER_MAX_TOKENS") else {}),
        ),
    )


def _tool_context(room: str) -> LLMContext:
    """Return a context with the slow tool, if there is one."""

    async def look_up(params: FunctionCallParams) -> None:
        """Look up what the caller asks for."""
        await params.result_callback(await take_time(room))

    return LLMContext(tools=[look_up]) if _env("TOOL_SECONDS") else LLMContext()


def _llm(room: str, tts: OpenAITTSService) -> tuple[FrameProcessor, LLMContext]:
    """Return what answers, and the conversation."""
    instruction = _env("SYSTEM_PROMPT") or None
    if _env("PIPECAT_LLM") == "backend":
        frontend = _model(_env("FRONTEND_MODEL"), instruction)
        backend = BackendLLMWorker(llm=_model(_env("BACKEND_MODEL"), instruction), context=_tool_context(room))
        return LLMWithBackend(frontend=frontend, backend=backend), LLMContext()
    llm = _model(_env("GROQ_MAIN_MODEL", "llama-3.3-70b-versatile"), instruction)
    if _env("TOOL_SECONDS"):

        async def speak(*_: object) -> None:
            await tts.queue_frame(TTSSpeakFrame("Let me check."))

        llm.add_event_handler("on_function_calls_started", speak)
    return llm, _tool_context(room)


def _stt() -> FrameProcessor:
    # Deepgram's SDK adds the path itself, LiveKit's plugin wants it in the address.
    base_url = _env("DEEPGRAM_BASE_URL", "https://api.deepgram.com").rstrip("/").removesuffix("/v1/listen")
    if _env("PIPECAT_STT") == "flux":
        url = f"{base_url.replace('http', 'ws', 1)}/v2/listen"
        return DeepgramFluxSTTService(api_key=_env("DEEPGRAM_API_KEY"), url=url, enable_eager_end_of_turn=True)
    return DeepgramSTTService(api_key=_env("DEEPGRAM_API_KEY"), base_url=base_url)


def _user_params() -> LLMUserAggregatorParams:
    if _env("PIPECAT_STT") == "flux":
        return LLMUserAggregatorParams()  # Flux recommends its own strategies
    vad = SileroVADAnalyzer()
    if not (words := _env("PIPECAT_MIN_WORDS")):
        return LLMUserAggregatorParams(vad_analyzer=vad)
    start = [MinWordsUserTurnStartStrategy(min_words=int(words))]
    return LLMUserAggregatorParams(vad_analyzer=vad, user_turn_strategies=UserTurnStrategies(start=start))


def _filter() -> BaseAudioFilter | None:
    if _env("PIPECAT_FILTER") != "rnnoise":
        return None
    from pipecat.audio.filters.rnnoise_filter import RNNoiseFilter  # which logs an error without its library

    return RNNoiseFilter()


async def run(room: str) -> bool:
    """Serve a room; return whether every processor started and none failed."""
    params = LiveKitParams(audio_in_enabled=True, audio_out_enabled=True, audio_in_filter=_filter())
    transport = LiveKitTransport(_env("LIVEKIT_URL"), _token(room), room, params)
    stt = _stt()
    tts = OpenAITTSService(
        api_key=_env("OPENAI_API_KEY"),
        base_url=_env("OPENAI_BASE_URL") or None,
        settings=OpenAITTSService.Settings(model="gpt-4o-mini-tts", voice="ash"),
    )
    llm, context = _llm(room, tts)
    user_aggregator, assistant_aggregator = LLMContextAggregatorPair(context, user_params=_user_params())
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
