"""One call: from the job's arrival to the end of the session."""

from __future__ import annotations

import functools
from typing import Any

from livekit.agents import NOT_GIVEN, AgentSession, APIConnectOptions, JobContext, inference, llm
from livekit.agents.voice import room_io
from livekit.agents.voice.agent_session import SessionConnectOptions

from agent_metrics import writer
from agent_worker.audio.output import pace
from agent_worker.audio.tts_stream import PhraseAudio
from agent_worker.core.compat.livekit import redact_personal_data
from agent_worker.core.folders import cache_dir
from agent_worker.core.settings import Settings
from agent_worker.lifecycle.call_limit import end_call_after
from agent_worker.lifecycle.duplicate_agent import has_earlier_agent, yield_to_earlier_agent
from agent_worker.lifecycle.worker_death import redispatch_on_worker_death
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.fast_reply import DEFAULT_PRERESPONSE_PROMPT
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.providers.stack import VoiceStack
from agent_worker.room.publisher import RoomLink
from agent_worker.room.text_input import BoundedTextInput
from agent_worker.room.topics import METRICS_ATTRIBUTE
from agent_worker.telemetry.usage_meter import SessionMeter
from agent_worker.turn_taking import audio_input
from agent_worker.turn_taking.transcript_timeout import watch_transcript_timeouts

#: Frames as short as the network's packets: those of the default, 50 ms, let the end of the caller's voice be heard
#: up to 50 ms later. 16 kHz is what the voice activity detector, the turn detector and the recognition work with:
#: from the default, 24 kHz, each of them would resample every frame.
INPUT = room_io.AudioInputOptions(sample_rate=16_000, frame_size_ms=20)

#: A caller waits meanwhile: what fails is tried again soon, and not for long. An apology is spoken then, and the call
#: goes on, because a service may come back. A refused key is tried twice a second: after 8 minutes of that it ends.
CONNECTIONS = SessionConnectOptions(
    stt_conn_options=APIConnectOptions(max_retry=3, retry_interval=2.0, timeout=5.0),
    tts_conn_options=APIConnectOptions(max_retry=1, retry_interval=0.5, timeout=3.0),
    max_unrecoverable_errors=1000,
)
#: What the fast model may take to answer in the main one's place, of ``ANSWER_TIMEOUT``.
FALLBACK_SHARE = 0.5


async def run_call(
    job: JobContext, stack: VoiceStack, agent: PreResponseAgent, meter: SessionMeter, settings: Settings
) -> None:
    """Join the room and begin to talk. The session goes on by itself until the caller leaves."""
    redact_personal_data()
    if not job.is_fake_job():  # on the console there is no room
        await job.connect()
        leave = functools.partial(job.shutdown, reason="an earlier agent has the room")
        if has_earlier_agent(job.room):
            return leave()
        yield_to_earlier_agent(job.room, leave)
        redispatch_on_worker_death(job, settings)
    session = build_session(stack, settings)
    link = RoomLink(job.room, settings)
    agent.on_preresponse = link.publish_preresponse
    watch_transcript_timeouts(session, agent.not_heard)
    recorder = meter.watch(session, agent, on_turn=link.publish_turn)
    # The call is over then; without this the agent would wait in the empty room, and a draining worker with it.
    session.once("close", lambda _: job.shutdown(reason="the conversation has ended"))
    await session.start(
        agent=agent,
        room=job.room,
        room_options=room_io.RoomOptions(audio_input=INPUT, text_input=False),
        # Else whoever is in the room may read the instructions and what was said, speak in the caller's name, and
        # switch the agent's ears off.
        session_host=False,
    )
    BoundedTextInput(session, job.room).attach()
    pace(session)
    recorder.watch(session.output.audio, audio_input.attach(session))
    if writer.problem():
        await job.room.local_participant.set_attributes({METRICS_ATTRIBUTE: "not written"})
    if settings.callers_choose_strategy:
        await link.let_caller_choose_strategy(session, agent)
    if settings.call_max_seconds is not None:
        end_call_after(settings.call_max_seconds, session, settings.language, job.delete_room)
    stack.fast_llm.prewarm()
    if not settings.no_greeting:
        session.say(settings.greeting)


def build_session(stack: VoiceStack, settings: Settings) -> AgentSession[Any]:
    return AgentSession(
        stt=stack.stt,
        # The fast model answers too, less well, when the main one fails or does not begin in time.
        llm=llm.FallbackAdapter([stack.main_llm, stack.fast_llm], attempt_timeout=settings.answer_timeout),
        tts=stack.tts,
        vad=stack.vad,
        conn_options=CONNECTIONS,
        transcription_timeout=settings.transcript_timeout or settings.usual_transcript_timeout,
        turn_handling={
            # The models that run in this process: the default ones need a LiveKit Cloud account.
            "turn_detection": inference.TurnDetector(
                version="v1-mini",
                unlikely_threshold=settings.endpointing_threshold or NOT_GIVEN,
            ),
            # docs/benchmarks/endpointing.md has what they cost and bring.
            "endpointing": {
                "min_delay": settings.endpointing_min_delay,
                "max_delay": settings.endpointing_max_delay,
            },
            "interruption": {"mode": "vad"},
            # The answer may be asked for and synthesised before the end of turn is certain; its audio waits
            # until it is.
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        },
    )


def build_agent(stack: VoiceStack, settings: Settings) -> PreResponseAgent:
    """The agent of one call.

    Raises:
        BadPhrasesError: If the file of own phrases cannot be used.
    """
    return PreResponseAgent(
        instructions=settings.system_prompt,
        fast_llm=stack.fast_llm,
        strategy=settings.preresponse_strategy,
        language=settings.language,
        phrases=PhraseBook.load(settings.language, settings.preresponse_phrases),
        phrase_audio=PhraseAudio(settings.preresponse_audio_dir or cache_dir() / "phrases", stack.voice),
        preresponse_prompt=settings.preresponse_prompt or DEFAULT_PRERESPONSE_PROMPT,
        budget=settings.preresponse_budget,
        quick_answer=settings.preresponse_quick_answer,
        answer_timeout=settings.answer_timeout * (1 + FALLBACK_SHARE),
        voice_timeout=settings.voice_timeout or settings.usual_voice_timeout,
    )
