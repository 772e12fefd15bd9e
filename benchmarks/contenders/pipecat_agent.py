"""``python benchmarks/contenders/pipecat_agent.py --room NAME``: a Pipecat voice agent, to measure ours against.

The pipeline of Pipecat's quickstart (``pipecat init``, voice agent, LiveKit) on the services that our worker uses:
Deepgram's live transcription, one Groq chat model, OpenAI's speech. Nothing speaks before the answer does, and
nobody is greeted. It serves whoever comes into the room until SIGTERM, or until the room is closed.

Everything about turns is Pipecat 1.14's default, none of it is set here:

- Silero VAD (shipped with Pipecat): speech starts after 0.2 s and stops after 0.2 s, confidence 0.7, volume 0.6.
- A turn starts by VAD, or by a transcript where VAD heard nothing, and interrupts the agent.
- A turn ends when smart-turn v3.2 (shipped too, on CPU) calls the speech complete, or after 3 s of silence, *and* its
  transcript is there. Deepgram is asked to finalize when VAD hears the end. A result that comes as the answer to that
  ends the turn at once; any other does 0.35 s after the speech, or when it comes if that is later.
- Deepgram: nova-3-general, English, interim results, punctuation; endpointing is left to Deepgram.
- OpenAI's speech is asked for sentence by sentence.

Settings are environment variables, named as for our worker: LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET,
DEEPGRAM_API_KEY, GROQ_API_KEY, OPENAI_API_KEY, and if wanted DEEPGRAM_BASE_URL, GROQ_BASE_URL, GROQ_MAIN_MODEL,
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
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker, ProcessorUnusablePolicy
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.groq.llm import GroqLLMService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.livekit.transport import LiveKitParams, LiveKitTransport
from pipecat.workers.runner import WorkerRunner

IDENTITY = "agent-pipecat"
KEYS = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "DEEPGRAM_API_KEY", "GROQ_API_KEY", "OPENAI_API_KEY")


def env(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def token(room: str) -> str:
    access = api.AccessToken(env("LIVEKIT_API_KEY"), env("LIVEKIT_API_SECRET"))
    grants = api.VideoGrants(room_join=True, room=room)
    return access.with_identity(IDENTITY).with_kind("agent").with_grants(grants).to_jwt()


async def run(room: str) -> bool:
    """Whether all went well: every part got ready and none broke down."""
    transport = LiveKitTransport(
        env("LIVEKIT_URL"), token(room), room, LiveKitParams(audio_in_enabled=True, audio_out_enabled=True)
    )
    stt = DeepgramSTTService(
        api_key=env("DEEPGRAM_API_KEY"),
        # Deepgram's SDK adds the path itself, LiveKit's plugin wants it in the address.
        base_url=env("DEEPGRAM_BASE_URL", "https://api.deepgram.com").rstrip("/").removesuffix("/v1/listen"),
    )
    llm = GroqLLMService(
        api_key=env("GROQ_API_KEY"),
        base_url=env("GROQ_BASE_URL", "https://api.groq.com/openai/v1"),
        settings=GroqLLMService.Settings(
            model=env("GROQ_MAIN_MODEL", "llama-3.3-70b-versatile"),
            system_instruction=env("SYSTEM_PROMPT") or None,
            **({"max_completion_tokens": int(env("ANSWER_MAX_TOKENS"))} if env("ANSWER_MAX_TOKENS") else {}),
        ),
    )
    tts = OpenAITTSService(
        api_key=env("OPENAI_API_KEY"),
        base_url=env("OPENAI_BASE_URL") or None,
        settings=OpenAITTSService.Settings(model="gpt-4o-mini-tts", voice="ash"),
    )
    hearing, speaking = LLMContextAggregatorPair(
        LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    parts = [transport.input(), stt, hearing, llm, tts, transport.output(), speaking]
    worker = PipelineWorker(
        Pipeline(parts),
        idle_timeout_secs=None,  # a benchmark may leave it waiting
        processor_unusable_policy=ProcessorUnusablePolicy.END,
    )
    runner = WorkerRunner(handle_sigterm=True)

    def in_order() -> bool:
        return all(part.is_usable for part in parts)

    async def on_started(*_: object) -> None:
        if in_order():  # connected to the room and to Deepgram; Pipecat starts without, too
            print("pipecat agent is in the room", flush=True)

    async def on_gone(*_: object) -> None:
        await runner.cancel()

    worker.add_event_handler("on_pipeline_started", on_started)
    transport.add_event_handler("on_disconnected", on_gone)
    await runner.add_workers(worker)
    await runner.run()
    return in_order()


def main() -> int:
    parser = argparse.ArgumentParser(description="A Pipecat voice agent, to measure ours against.")
    parser.add_argument("--room", required=True, help="LiveKit room to join")
    room = parser.parse_args().room
    if missing := [name for name in KEYS if not env(name)]:
        parser.error(f"not set: {', '.join(missing)}")
    logger.remove()
    logger.add(sys.stderr, level=env("LOGURU_LEVEL", "WARNING"))  # what callers say is logged below that
    return 0 if asyncio.run(run(room)) else 1


if __name__ == "__main__":
    sys.exit(main())
