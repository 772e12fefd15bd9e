"""One call: join the room, put the parts together, start the session."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, APIConnectOptions, JobContext, llm
from livekit.agents.voice import room_io
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.api import TransferSIPParticipantRequest, TransferSIPParticipantResponse

from agent_metrics import writer
from agent_worker.audio.output import pace
from agent_worker.audio.soft_voice import SoftVoice
from agent_worker.core.compat.livekit import received_at, room_audio_source, send_transcripts_only_to
from agent_worker.core.log import logger
from agent_worker.core.log_protection import protect_log_of_calls
from agent_worker.core.page_room import is_canary_room
from agent_worker.core.settings import ConversationSettings, Settings
from agent_worker.lifecycle.answer_screen import AnswerScreen
from agent_worker.lifecycle.call_end import CallEnd
from agent_worker.lifecycle.call_identity import identity_of
from agent_worker.lifecycle.call_limit import limit_duration, limit_silence, limit_usage
from agent_worker.lifecycle.continuation import earlier_conversation, go_on, keep_conversation, remember, sealer_of
from agent_worker.lifecycle.duplicate_agent import has_earlier_agent, yield_to_earlier_agent
from agent_worker.lifecycle.goodbye import Goodbye
from agent_worker.lifecycle.greeting import greet_when_answered
from agent_worker.lifecycle.outbound import BadDispatchError, OutboundCall, dial, end_unless, outbound_call
from agent_worker.lifecycle.prefill import prefill
from agent_worker.lifecycle.recording import Recording, notice_of, recorder_options
from agent_worker.lifecycle.silent_caller import Patience, SilentCaller
from agent_worker.lifecycle.worker_death import redispatch_on_worker_death
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.providers.stack import VoiceStack
from agent_worker.room.callers import Callers
from agent_worker.room.conversation import Conversation
from agent_worker.room.keypad import Keypad
from agent_worker.room.phone import is_on_the_line, is_phone
from agent_worker.room.publisher import RoomPublisher, linked_identity
from agent_worker.room.strategy_choice import let_caller_choose_strategy
from agent_worker.room.text_input import BoundedTextInput
from agent_worker.room.topics import METRICS_ATTRIBUTE
from agent_worker.room.transfer import HumanTransfer
from agent_worker.telemetry import metrics
from agent_worker.telemetry.exemplars import name_trace_in_exemplars
from agent_worker.telemetry.process_meter import measure_process
from agent_worker.telemetry.session_meter import SessionMeter
from agent_worker.telemetry.tracing import send_trace_context_of_session
from agent_worker.turn_taking import audio_input
from agent_worker.turn_taking.call_silence import CallSilence
from agent_worker.turn_taking.end_of_turn import EndOfTurnDetector
from agent_worker.turn_taking.endpointing import AUDIO_INPUT, turn_detection, turn_handling
from agent_worker.turn_taking.loudness import is_sounding
from agent_worker.turn_taking.pause_length import PauseDelays, PauseLength
from agent_worker.turn_taking.soft_backchannel import DEFAULT_DETECTED_SILENCE_S, CallerPause, SoftBackchannel
from agent_worker.turn_taking.transcript_timeout import TranscriptTimeouts
from agent_worker.turn_taking.voice_activity import ObservedVAD

#: The caller waits meanwhile, so a failed request is retried soon and not for long. Then an apology is spoken and the
#: call continues, because a service may come back. A refused key fails twice a second: after 8 minutes the call ends.
CONNECTIONS = SessionConnectOptions(
    stt_conn_options=APIConnectOptions(max_retry=3, retry_interval=2.0, timeout=5.0),
    tts_conn_options=APIConnectOptions(max_retry=1, retry_interval=0.5, timeout=3.0),
    max_unrecoverable_errors=1000,
)


async def run_call(
    job: JobContext, stack: VoiceStack, agent: PreResponseAgent, meter: SessionMeter, settings: Settings
) -> None:
    """Join the room and start the session, which runs until the caller leaves."""
    protect_log_of_calls()
    if not job.is_fake_job() and not await _join(job, settings):  # on the console there is no room
        return
    try:
        outbound = None if job.is_fake_job() else outbound_call(job, settings)
    except BadDispatchError as error:
        logger.error("a call was not placed: %s", str(error))  # the log of calls shows no error's text
        await job.delete_room()
        job.shutdown(reason="there is nobody to call")
        return
    identity = identity_of(job, settings)
    if identity.trace_id:
        job.log_context_fields["trace_id"] = identity.trace_id
        name_trace_in_exemplars(identity.trace_id)
        send_trace_context_of_session()
    session = build_session(stack, settings)
    is_recorded = settings.recording_dir is not None and not job.is_fake_job()
    callers = Callers(job.room, settings.listen_to)
    caller = functools.partial(linked_identity, session)
    send_transcripts_only_to(job.room, caller)
    publisher = RoomPublisher(job.room, caller, settings.turn_log, with_usage=settings.callers_see_usage)
    agent.events.on("preresponse_started", publisher.publish_preresponse)
    agent.events.on("backchannel_started", publisher.publish_backchannel)
    sealer = sealer_of(job, settings)
    earlier = earlier_conversation(job, sealer)
    if earlier:
        await remember(agent, earlier)
    is_counted = not is_canary_room(job.job.room.metadata)
    recorder = meter.watch(
        session,
        agent,
        on_turn=publisher.publish_turn,
        is_continued=earlier is not None,
        is_counted=is_counted,
        call=identity,
    )
    # Otherwise the agent would wait in the empty room, and a draining worker with it.
    session.once("close", lambda _: job.shutdown(reason="the conversation has ended"))
    await session.start(
        agent=agent,
        room=job.room,
        room_options=room_io.RoomOptions(
            audio_input=AUDIO_INPUT, text_input=False, participant_identity=callers.placeholder
        ),
        # A session host lets every participant read the instructions and the history, speak in the caller's name, and
        # mute the agent.
        session_host=False,
        record=recorder_options(job, is_recorded=is_recorded),
    )
    if is_counted and (requested_at := received_at(job)):
        metrics.AGENT_DELAY.observe(max(time.time() - requested_at, 0.0))
    measure_while_open(session)
    callers.attach(session)
    text_input = BoundedTextInput(session, job.room, agent.events)
    text_input.attach()
    pace(session)
    agent.floor.attach(session)
    microphone = audio_input.attach(session)
    recorder.watch_audio(session.output.audio, microphone)
    agent.watch_audio(microphone)
    pauses = take_turns(session, agent, settings)
    take_keys(session, job.room, agent, text_input, pauses, settings.dtmf_delay)
    if writer.problem():
        await job.room.local_participant.set_attributes({METRICS_ATTRIBUTE: "not written"})
    if settings.callers_choose_strategy:
        await let_caller_choose_strategy(job.room, session, agent)
    end = CallEnd(session, settings.language, job.delete_room, stop_text_input=text_input.detach, is_counted=is_counted)
    agent.events.on("language_changed", end.use_language)
    if settings.transfer_to is not None:
        offer_transfer(job, callers, agent, settings, end)
    limit_duration(settings.call_max_seconds, session, end)
    limit_usage(settings.call_max_tokens, settings.call_max_cost_usd, meter.usage_events, end)
    limit_silence(settings.caller_silence_max_seconds, session, end, _audience(session))
    greeting = None if settings.no_greeting or earlier else settings.greeting
    screen = screen_of(outbound, session, agent, end, is_greeted=greeting is not None)

    def is_there() -> bool:
        return _is_caller_there(session) and not (screen and screen.awaits_person)

    follow_silence(session, agent, settings, end, _audience(session), is_there)
    if sealer:
        keeper = keep_conversation(job, session, sealer, earlier, settings)
        agent.events.on("language_changed", keeper.use_language)
    for model in (stack.fast_llm, stack.fallback_llm):
        model.prewarm()
    room = None if job.is_fake_job() else job.room
    recording = recording_of(session, job, settings) if is_recorded else None
    begun = greet_when_answered(session, room, greeting, recording, screen)
    if earlier:
        begun.add_done_callback(functools.partial(_go_on, session, earlier, settings.language))
    if outbound is not None:
        trunk, ringing_s = settings.sip_outbound_trunk, settings.sip_ringing_timeout
        placed = dial(job.api, job.room.name, outbound.number, trunk=trunk, ringing_timeout_s=ringing_s)
        end_unless(placed, session, job.delete_room)
    if stack.prefill:
        prefill(stack.main_llm, agent)


def screen_of(
    outbound: OutboundCall | None,
    session: AgentSession[Any],
    agent: PreResponseAgent,
    end: CallEnd,
    *,
    is_greeted: bool,
) -> AnswerScreen | None:
    """Return what finds out who has answered a call that the agent places; ``None`` if it makes no difference."""
    if outbound is None or outbound.handling.is_as_with_a_person:
        return None
    return AnswerScreen(session, agent, outbound.handling, end, is_greeted=is_greeted)


def measure_while_open(session: AgentSession[Any]) -> None:
    """Measure the process until the session closes."""
    measurement = asyncio.create_task(measure_process(), name="measure_process")
    session.once("close", lambda _: measurement.cancel())


def offer_transfer(
    job: JobContext, callers: Callers, agent: PreResponseAgent, settings: Settings, end: CallEnd
) -> None:
    """Give the main model the tool that puts the caller through, once the caller is on a telephone."""
    assert settings.transfer_to is not None

    async def refer(request: TransferSIPParticipantRequest, limit_s: float) -> TransferSIPParticipantResponse:
        return await job.api.sip.transfer_sip_participant(request, timeout=limit_s)

    transfer = HumanTransfer(
        job.room.name,
        settings.transfer_to,
        settings.transfer_timeout,
        refer,
        lambda: callers.linked,
        settings.language,
        end.expect_transfer,
    )
    agent.events.on("language_changed", transfer.use_language)
    additions: set[asyncio.Task[None]] = set()

    def add_tool(caller: rtc.RemoteParticipant) -> None:
        if is_phone(caller):
            task = asyncio.create_task(agent.add_tool(transfer.tool, limits_itself=True), name="offer_transfer")
            additions.add(task)
            task.add_done_callback(additions.discard)

    callers.follow(add_tool)


def follow_silence(
    session: AgentSession[Any],
    agent: PreResponseAgent,
    settings: ConversationSettings,
    end: CallEnd,
    audience: asyncio.Future[None] | None,
    is_there: Callable[[], bool],
) -> None:
    """Ask a silent caller whether they are there, and end the call after that or after both sides' goodbye."""
    clock = agent.floor.clock
    silence = CallSilence(clock)
    if settings.silence_prompt_delay:
        usual_s = settings.silence_prompt_delay
        patience = Patience(usual_s, max(usual_s, settings.silence_prompt_hold_delay))
        silent_caller = SilentCaller(session, settings.language, patience, end, clock, silence, is_there)
        agent.events.on("language_changed", silent_caller.use_language)
        agent.events.on("caller_text", lambda text: silent_caller.on_sign_of_life() if text else None)
        agent.events.on("dtmf_received", lambda _: silent_caller.on_sign_of_life())
        silent_caller.start(audience)
    if settings.end_after_goodbye:
        goodbye = Goodbye(session, settings.language, end, clock, silence)
        agent.events.on("language_changed", goodbye.use_language)
        goodbye.start()


def _is_caller_there(session: AgentSession[Any]) -> bool:
    """Whether a caller is in the room, and not a phone that rings; on the console there is always one."""
    try:
        caller = session.room_io.linked_participant
    except RuntimeError:
        return True
    return caller is not None and is_on_the_line(caller)


def recording_of(session: AgentSession[Any], job: JobContext, settings: Settings) -> Recording:
    """Return the recording of a call that is recorded."""
    notice = notice_of(settings)
    assert settings.recording_dir is not None
    assert notice, "checked before the worker takes calls"
    return Recording(session, job, settings.recording_dir, notice)


def take_turns(session: AgentSession[Any], agent: PreResponseAgent, settings: Settings) -> PauseLength:
    """Let what the caller says decide how long its pauses may be, and what is no turn."""
    timeouts = TranscriptTimeouts(session, agent.ask_to_repeat, agent.reconnect_stt, agent.audio_levels)
    agent.events.on("wordless_transcript", lambda _: timeouts.on_wordless())
    delays = PauseDelays(settings.endpointing_open_delay, settings.endpointing_dictation_delay)
    pauses = PauseLength(session, settings.language, delays, agent.last_text)
    agent.events.on("caller_text", pauses.on_text)
    agent.events.on("language_changed", pauses.use_language)
    if settings.agent_backchannels:
        _make_backchannels(session, agent, pauses)
    return pauses


def take_keys(
    session: AgentSession[Any],
    room: rtc.Room,
    agent: PreResponseAgent,
    text_input: BoundedTextInput,
    pauses: PauseLength,
    delay_s: float,
) -> None:
    """Let the keys of the caller's telephone be turns, which what is said in the same turn belongs to."""

    async def answer(keys: str) -> None:
        if (text := await agent.on_dtmf(keys)) is None:
            return
        if spoken := agent.caller_transcript.text:
            session.clear_user_turn()
            agent.caller_transcript.end_turn()
        text_input.submit(f"{spoken} {text}".strip())

    keypad = Keypad(
        session,
        room,
        pause_s=lambda keys: pauses.after_keys(keys, delay_s),
        on_key=lambda key: agent.events.emit("dtmf_received", key),
        on_turn=answer if delay_s else None,
        clock=agent.floor.clock,
    )
    keypad.attach()


def _make_backchannels(session: AgentSession[Any], agent: PreResponseAgent, pauses: PauseLength) -> None:
    """Let the agent make a listener's sound in pauses in which the caller goes on, if there is a clip of one."""
    source, clip = room_audio_source(session), agent.backchannel_clip()
    if not source or not clip:
        return
    voice, clip_s = SoftVoice(source), sum(frame.duration for frame in clip)
    detection, transcript = session.turn_detection, agent.caller_transcript

    def play() -> None:
        if agent.is_held_back:
            return
        voice.play(clip)
        agent.events.emit("backchannel_started", agent.backchannel_text, clip_s)

    backchannel = SoftBackchannel(
        session,
        pause=lambda: CallerPause(
            pauses.pause,
            transcript.text,
            transcript.is_final,
            pauses.min_delay_s,
            expects_end=isinstance(detection, EndOfTurnDetector) and detection.expects_end,
        ),
        clip_s=clip_s,
        play=play,
        stop=voice.stop,
        is_sounding=lambda: is_sounding(agent.audio_levels()),
        detected_silence_s=getattr(session.vad, "min_silence_duration", None) or DEFAULT_DETECTED_SILENCE_S,
    )
    agent.events.on("caller_text", backchannel.on_text)


async def _join(job: JobContext, settings: Settings) -> bool:
    """Connect to the room. Returns False if an earlier agent has it: the job ends then."""
    await job.connect()
    leave = functools.partial(job.shutdown, reason="an earlier agent has the room")
    if has_earlier_agent(job.room):
        leave()
        return False
    yield_to_earlier_agent(job.room, leave)
    redispatch_on_worker_death(job, settings)
    return True


def _go_on(session: AgentSession[Any], earlier: Conversation, language: str, begun: asyncio.Task[None]) -> None:
    """Go on with an earlier conversation, behind what is said at the beginning of the call."""
    if not begun.cancelled():
        go_on(session, earlier, language)


def _audience(session: AgentSession[Any]) -> asyncio.Future[None] | None:
    """Return what is done once a participant receives the agent's audio; None on the console."""
    try:
        return session.room_io.subscribed_fut
    except RuntimeError:
        return None


def build_session(stack: VoiceStack, settings: Settings) -> AgentSession[Any]:
    """Build the session of one call."""
    detection, voice_activity = turn_detection(settings), ObservedVAD(stack.vad)
    session = AgentSession[Any](
        stt=stack.stt,
        # The fast model answers, less well, when the main model fails or is silent for too long. The agent asks it when
        # the main model is at work and says no word.
        llm=llm.FallbackAdapter([stack.main_llm, stack.fallback_llm], attempt_timeout=settings.answer_timeout),
        tts=stack.tts,
        vad=voice_activity,
        conn_options=CONNECTIONS,
        transcription_timeout=settings.transcript_timeout or settings.usual_transcript_timeout,
        turn_handling=turn_handling(settings, detection),
        user_away_timeout=settings.caller_silence_max_seconds,
    )
    if isinstance(detection, EndOfTurnDetector):
        detection.text.attach(session)
        voice_activity.observe(detection.on_voice_activity)
    return session
