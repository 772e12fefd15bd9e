"""What we assume about the internals of livekit-agents and of its plugins' clients.

Written for livekit-agents :data:`VERSION`. ``tests/agent_worker/test_livekit_compat.py`` and
``tests/agent_worker/test_livekit_log.py`` check each assumption; read both before you raise the pin.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from google.protobuf.message import Message
from livekit import rtc
from livekit.agents import (
    AMD,
    AgentServer,
    AgentSession,
    AMDCategory,
    AMDPredictionEvent,
    JobContext,
    Plugin,
    RunContext,
    SpeechCreatedEvent,
    get_job_context,
    llm,
)
from livekit.agents.inference_runner import _InferenceRunner
from livekit.agents.ipc.inference_executor import InferenceExecutor as InferenceExecutor
from livekit.agents.types import TOPIC_TRANSCRIPTION
from livekit.agents.utils import http_context
from livekit.agents.utils.http_server import HttpServer
from livekit.agents.voice import SpeechHandle, agent_activity, audio_recognition, room_io
from livekit.agents.voice.agent_session import DEFAULT_TTS_TEXT_TRANSFORMS
from livekit.agents.voice.tool_executor import _RunningTasks
from livekit.agents.voice.turn import TurnDetectionEvent as TurnDetectionEvent
from livekit.agents.voice.turn import _StreamingTurnDetector, _StreamingTurnDetectorStream
from livekit.protocol.agent import WorkerStatus
from opentelemetry.context import Context

#: The version of livekit-agents that this module was written for.
VERSION = "1.8.9"

# --- processes ---

#: Modules that the providers' clients import with their first request only: about 0.5 s in the first turn.
LAZY_CLIENT_MODULES = (
    "anyio._backends._asyncio",
    "openai.lib.streaming.chat",
    "openai.resources.audio.speech",
    "openai.resources.audio.transcriptions",
    "openai.resources.chat.completions",
    "openai.resources.models",
)


InferenceRunner = _InferenceRunner


def register_inference(runner: type[InferenceRunner]) -> None:
    """Let the worker that starts after this run a model in its inference process; without any, it has none."""
    InferenceRunner.registered_runners[runner.INFERENCE_METHOD] = runner


def job_inference() -> InferenceExecutor | None:
    """Return what asks the worker's inference process for the call of this process; None outside a call.

    If that process is lost, the request that it was at work on is never answered, and the next ones get ``None``: the
    error behind them has no text, and livekit-agents takes that for none.
    """
    job = get_job_context(required=False)
    return None if job is None else job.inference_executor


def import_client_modules() -> None:
    """Import :data:`LAZY_CLIENT_MODULES` now, so that no caller waits for it."""
    for module in LAZY_CLIENT_MODULES:
        importlib.import_module(module)


def load_certificates() -> None:
    """Make the TLS context that all HTTP clients of the process share: it reads some 140 certificates."""
    http_context._create_ssl_context()


def preload_first(module: str) -> None:
    """Import ``module`` before all plugins in the process from which call processes are forked.

    livekit-agents preloads the packages of its registered plugins in their order, and then ``preload_modules``. So
    a module that must precede the plugins must be the first plugin.
    """
    Plugin.registered_plugins.insert(0, Plugin("agent-worker-preload", VERSION, module))


class JsonAgentServer(AgentServer):
    """A worker that serves more on its port than its health.

    livekit-agents makes the HTTP server when the worker starts, and starts it at once; a started one takes no routes.
    """

    def serve_json(
        self,
        path: str,
        content: Callable[[], Mapping[str, object]],
        *,
        is_ok: Callable[[Mapping[str, object]], bool] = lambda _: True,
    ) -> None:
        """Serve what ``content`` returns at each request as JSON. Call it before the worker runs.

        Args:
            path: Where.
            content: What; called on the worker's event loop.
            is_ok: Whether the status is 200 for such content; otherwise it is 503.
        """
        vars(self).setdefault("_json_routes", {})[path] = _answer_json(content, is_ok)

    @property
    def _http_server(self) -> HttpServer | None:
        server: HttpServer | None = vars(self).get("_server")
        return server

    @_http_server.setter
    def _http_server(self, server: HttpServer | None) -> None:
        vars(self)["_server"] = server
        for path, answer in vars(self).get("_json_routes", {}).items():
            if server is not None:
                server.app.router.add_get(path, answer)


def _answer_json(
    content: Callable[[], Mapping[str, object]], is_ok: Callable[[Mapping[str, object]], bool]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        found = content()
        return web.json_response(found, status=200 if is_ok(found) else 503)

    return answer


def is_registered(server: AgentServer) -> bool:
    """Whether LiveKit has the worker in its list, and the connection for that is up."""
    return server.id != "unregistered" and not server._connecting and not server._closed


def is_marked_full(server: AgentServer) -> bool:
    """Whether the worker last told LiveKit that it takes no calls; it tells the next change up to 2.5 s late."""
    status: int = vars(server).get("_previous_status", WorkerStatus.WS_AVAILABLE)
    return status == WorkerStatus.WS_FULL


def worker_load(server: AgentServer) -> float:
    """Return the load that the worker last reported to LiveKit, from 0 to 1; 0 before it runs."""
    load: float = vars(server).get("_worker_load", 0.0)
    return load


def accepted_calls(server: AgentServer) -> int:
    """Return the number of calls that the worker has, and of those that it has accepted and not started yet."""
    reserved: int = vars(server).get("_reserved_slots", 0)
    return len(server.active_jobs) + reserved


def has_failed(server: AgentServer) -> bool:
    """Whether livekit-agents says that only a restart helps: it has given up connecting to LiveKit.

    It says so without its inference process, too; calls then run the model in it themselves.
    """
    return bool(vars(server).get("_connection_failed"))


def warm_processes(server: AgentServer) -> int:
    """Return how many processes are prepared for a call and have none."""
    pool = vars(server).get("_proc_pool")
    return 0 if pool is None else pool._warmed_proc_queue.qsize()


def keeps_warm_processes(server: AgentServer) -> bool:
    """Whether the worker prepares processes before there are calls for them; with the command ``dev`` it does not."""
    pool = vars(server).get("_proc_pool")
    return pool is None or pool._default_num_idle_processes > 0


def received_at(job: JobContext) -> float:
    """Return when LiveKit asked the worker for a job, ``time.time()``; 0 if there was no such request."""
    return job._info.received_at


# --- language models ---


def on_chat_stream(model: llm.LLM[Any], wrap: Callable[[Any], Any]) -> None:
    """Have each stream of chat completions go through ``wrap`` before livekit-agents reads it.

    Args:
        model: An ``LLM`` of livekit's OpenAI plugin, or of one that builds on it.
        wrap: Gets the client's ``AsyncStream`` and returns an asynchronous context manager and iterable of chunks.
    """
    completions = model._client.chat.completions  # type: ignore[attr-defined]
    create = completions.create

    async def create_and_wrap(*args: Any, **options: Any) -> Any:
        return wrap(await create(*args, **options))

    completions.create = create_and_wrap


def on_request(model: object, add_headers: Callable[[Any], None]) -> None:
    """Have ``add_headers`` change the headers of each HTTP request of a component.

    Args:
        model: A component; nothing happens if it is none of livekit's OpenAI plugin, or of one that builds on it.
        add_headers: Gets the headers, a mapping. The request's task calls it.
    """
    http = getattr(getattr(model, "_client", None), "_client", None)  # of the OpenAI client, httpx's
    hooks = getattr(http, "event_hooks", None)
    if http is None or hooks is None:
        return

    async def change(request: Any) -> None:
        add_headers(request.headers)

    http.event_hooks = {**hooks, "request": [*hooks["request"], change]}


def on_session_request(add_headers: Callable[[Any], None]) -> None:
    """Have ``add_headers`` change the headers of each request of the job's HTTP session, also of those for websockets.

    Args:
        add_headers: Gets the headers, a mapping. The request's task calls it.

    Raises:
        RuntimeError: Outside of a job.
    """

    async def change(session: Any, context: Any, request: aiohttp.TraceRequestStartParams) -> None:
        add_headers(request.headers)

    config = aiohttp.TraceConfig()
    config.on_request_start.append(change)
    config.freeze()
    http_context.http_session().trace_configs.append(config)


# --- traces ---


def session_trace_context(session: AgentSession[Any]) -> Context | None:
    """Return the OpenTelemetry context of a session's span; None before and after the session."""
    return session._root_span_context


# --- speech ---


def current_speech_handle() -> SpeechHandle | None:
    """Return the speech that the running node works for; ``None`` outside of a node.

    livekit-agents runs ``llm_node`` and each ``tts_node`` of a reply in tasks whose context holds its handle.
    """
    return agent_activity._SpeechHandleContextVar.get(None)


def leave_markup_to_agent(session: AgentSession[Any]) -> None:
    """Take livekit's filters for Markdown and emoji off a session's text to speech; transforms of your own stay."""
    transforms = session.options.tts_text_transforms or ()
    session.options.tts_text_transforms = [each for each in transforms if each not in DEFAULT_TTS_TEXT_TRANSFORMS]


def room_audio_source(session: AgentSession[Any]) -> rtc.AudioSource | None:
    """Return what the room hears of the agent; ``None`` on the console, and for a session without audio.

    The public outputs in front of it count every frame as the agent's speech.
    """
    try:
        output = session.room_io._audio_output
    except RuntimeError:
        return None
    return getattr(output, "_audio_source", None)


# --- recordings ---


async def stop_recorder(session: AgentSession[Any]) -> None:
    """Stop livekit-agents' recorder, which runs from ``session.start`` on; it has no option to stop it earlier."""
    if session._recorder_io is not None:
        await session._recorder_io.aclose()


# --- the caller's turn ---


def is_echo_warm_up(session: AgentSession[Any]) -> bool:
    """Return whether livekit-agents ignores the caller's sounds, as it does when the agent begins to speak in a call.

    The caller's echo canceller adapts meanwhile, and the recogniser gets silence.
    """
    return session._aec_warmup_remaining > 0 and session._aec_warmup_timer is not None


def discard_user_speech(session: AgentSession[Any]) -> None:
    """Forget the caller's speech so far: its transcript has arrived and makes no turn.

    Otherwise livekit-agents would report a missing transcript, and date the next turn's beginning back.
    """
    recognition = _recognition(session)
    if recognition is None:
        return
    recognition._audio_interim_transcript = recognition._audio_preflight_transcript = ""
    if recognition._audio_transcript:
        return
    recognition._mark_turn_transcribed()
    if not recognition._speaking:
        recognition._end_user_turn_span()
        recognition._reset_transcription_timeout()


def restore_user_turn(session: AgentSession[Any], text: str) -> None:
    """Put the words of a committed turn back, as if it had not been committed: those to come are added to them."""
    recognition = _recognition(session)
    if recognition is not None:
        recognition._audio_transcript = f"{text} {recognition._audio_transcript}".strip()


def _recognition(session: AgentSession[Any]) -> audio_recognition.AudioRecognition | None:
    activity = session._activity
    return activity._audio_recognition if activity else None


# --- who answers a call ---

#: Seconds of silence that end what may be a person's greeting, "Hello?". Recordings are put together with shorter
#: pauses, and a person waits for two seconds at most.
ANSWER_SILENCE_S = 1.0
#: Seconds from the answer after which a phone without a voice is not waited for any more.
ANSWER_NO_VOICE_S = 4.0
#: Seconds from the answer after which what has been said is not waited to be understood any more.
ANSWER_TIMEOUT_S = 8.0


class AnswerDetector(AMD):
    """livekit-agents' detector of answering machines, for a phone that has been answered.

    While it is open, no turn is answered, and nothing is generated ahead. livekit-agents answers what a person says
    until the detector has decided; here the agent's greeting does that.

    Args:
        session: The session. Its main model and its recogniser are used.
    """

    def __init__(self, session: AgentSession[Any]) -> None:
        super().__init__(
            session,
            llm=None,
            stt=None,
            ivr_detection=False,
            suppress_compatibility_warning=True,
            detection_options={
                "human_silence_threshold": ANSWER_SILENCE_S,
                "machine_silence_threshold": ANSWER_SILENCE_S,
                "no_speech_threshold": ANSWER_NO_VOICE_S,
                "timeout": ANSWER_TIMEOUT_S,
            },
        )
        self.has_held_turn = False
        """Whether a turn was not answered."""
        self._usual_preemption = session.options.turn_handling["preemptive_generation"]

    async def __aenter__(self) -> AnswerDetector:
        self._set_preemption({**self._usual_preemption, "enabled": False})
        await super().__aenter__()
        return self

    async def category(self) -> AMDCategory:
        """Return who has answered.

        Raises:
            RuntimeError: If the session ends before that is decided.
        """
        return (await self.execute()).category

    async def turns_ended(self) -> None:
        """Return when the turns so far are in the history."""
        activity = self._session._activity
        if activity is not None and activity._user_turn_completed_atask is not None:
            await asyncio.wait([activity._user_turn_completed_atask])

    async def aclose(self) -> None:
        """Answer turns again."""
        self._set_preemption(self._usual_preemption)
        await super().aclose()

    def _set_preemption(self, options: Any) -> None:
        self._session.options.turn_handling["preemptive_generation"] = options

    async def _setup(self, _: AgentSession[Any]) -> None:
        # livekit-agents would wait here for the phone's audio, five seconds at most, and for its answer.
        self._start_listening()

    def _on_end_of_turn(self, info: audio_recognition._EndOfTurnInfo) -> bool:
        super()._on_end_of_turn(info)
        self.has_held_turn = self.has_held_turn or bool(info.new_transcript)
        return True

    def _on_amd_prediction(self, result: AMDPredictionEvent) -> None:
        # It goes to the log, to traces and to the tags of the job: without the words.
        super()._on_amd_prediction(result.model_copy(update={"transcript": ""}))


# --- tools ---

RunTool = Callable[[str, Awaitable[Any], Callable[[], None]], Awaitable[Any]]
"""Runs a tool, given its name, the tool at work and what cancels it; returns its result."""


def wrap_tools(session: AgentSession[Any], run: RunTool) -> None:
    """Let ``run`` run the tools of the session's present agent; a second call for the same agent has no effect.

    livekit-agents has no limit for the duration of a tool, and cancels only tools that are declared cancellable. A tool
    that has reported with ``RunContext.update`` counts as returned.
    """
    activity = session._activity
    if activity is None or "execute" in vars(activity._tool_executor):
        return
    executor = activity._tool_executor
    execute = executor.execute

    async def execute_wrapped(*, run_ctx: RunContext[Any], **options: Any) -> Any:
        call = run_ctx.function_call

        def cancel() -> None:
            if (running := executor._running_tasks.get(call.call_id)) is not None:
                running.exe_task.cancel()

        return await run(call.name, execute(run_ctx=run_ctx, **options), cancel)

    vars(executor).update(execute=execute_wrapped)


def has_running_tools(session: AgentSession[Any]) -> bool:
    """Whether a tool of the session's present agent is at work, also one that has reported and works on."""
    running = _RunningTasks.get(session, {}).values()
    return any(task.executor._owning_activity in (None, session._activity) for task in running)


# --- end of turn ---


def turn_detection_event(probability: float) -> TurnDetectionEvent:
    """Return what a streaming turn detector's ``predict()`` resolves to."""
    return TurnDetectionEvent(
        type="eot_prediction", end_of_turn_probability=probability, last_speaking_time=time.time()
    )


def is_streaming_detector(detector: object) -> bool:
    """Whether livekit-agents takes an object for a streaming turn detector, and asks it while the caller is silent."""
    return isinstance(detector, _StreamingTurnDetector)


def is_streaming_detector_stream(stream: object) -> bool:
    """Whether an object has what livekit-agents calls on a streaming turn detector's stream."""
    return isinstance(stream, _StreamingTurnDetectorStream)


# --- text input ---

TextInputCallback = Callable[[Any, room_io.TextInputEvent], Coroutine[Any, Any, None] | None]


def default_text_input_callback() -> TextInputCallback:
    """Return what livekit-agents does with a chat message: interrupt the agent, then generate a reply."""
    return room_io.TextInputOptions().text_input_cb


async def reply_to_text(session: AgentSession[Any], message: room_io.TextInputEvent) -> SpeechHandle | None:
    """Do with a chat message what livekit-agents does, and return the speech of the reply."""
    created: list[SpeechHandle] = []

    def on_created(event: SpeechCreatedEvent) -> None:
        if event.source == "generate_reply":
            created.append(event.speech_handle)

    session.on("speech_created", on_created)
    try:
        if (delivery := default_text_input_callback()(session, message)) is not None:
            await delivery
    finally:
        session.off("speech_created", on_created)
    return created[-1] if created else None


# --- what a room's members receive and send ---


def send_transcripts_only_to(room: rtc.Room, caller: Callable[[], str | None]) -> None:
    """Send livekit-agents' transcripts to one participant; it sends them to the whole room, and has no option for it.

    The old protocol of transcripts has no receiver, so it is off: a client needs text streams on ``lk.transcription``.
    That nobody else is in the room is no reason to use it: LiveKit server tells of a new participant seconds later.

    Call it before ``session.start``.

    Args:
        room: The room, connected.
        caller: Returns the identity of the participant. While there is none, nobody receives a transcript.
    """
    participant = room.local_participant
    stream_text = participant.stream_text

    async def stream_text_to_caller(*, topic: str = "", **options: Any) -> rtc.TextStreamWriter:
        if topic == TOPIC_TRANSCRIPTION:
            options["destination_identities"] = [caller() or participant.identity]
        return await stream_text(topic=topic, **options)

    async def publish_nothing(_: rtc.Transcription) -> None:
        """Drop the packet of the old protocol: it goes to the whole room."""

    vars(participant).update(stream_text=stream_text_to_caller, publish_transcription=publish_nothing)


@dataclass(frozen=True)
class RoomHandlers:
    """The names under which a room's members can send something that this process handles.

    Attributes:
        text_streams: Topics of text streams.
        byte_streams: Topics of byte streams.
        rpc_methods: Remote procedures.
        events: Events of the room that carry data of its members, such as data packets, and have a handler.
    """

    text_streams: frozenset[str]
    byte_streams: frozenset[str]
    rpc_methods: frozenset[str]
    events: frozenset[str]


_DATA_EVENTS = frozenset({"data_received", "transcription_received", "sip_dtmf_received", "data_track_published"})


def room_handlers(room: rtc.Room) -> RoomHandlers:
    """Return what is registered in a room at present."""
    return RoomHandlers(
        text_streams=frozenset(room._text_stream_handlers),
        byte_streams=frozenset(room._byte_stream_handlers),
        rpc_methods=frozenset(room.local_participant._rpc_handlers),
        events=frozenset(name for name, handlers in room._events.items() if handlers) & _DATA_EVENTS,
    )


# --- log lines ---

_PERSONAL_FIELD_PREFIX = "lk.pii"
#: Fields of log records that may quote the caller or the agent although livekit-agents does not mark them as personal.
_UNMARKED_PERSONAL_FIELDS = ("text_sent", "tool_calls_sent", "error")
#: Messages into which livekit-agents formats a provider's error, or what the agent was to say.
_MESSAGE_WITH_ERROR = re.compile(
    "(pushed for text: |failed to generate LLM completion: |failed to recognize speech: |unrecoverable error: )(.*)",
    re.DOTALL,
)
#: Parts of such an error that come from livekit-agents or the protocol, never from what was said.
_HARMLESS_PART = re.compile(r"status_code=\d+|caused by \w+|retrying in [\d.]+s$")


#: Errors, and messages of LiveKit's protocol: the room logs a whole event, with data and text, if a handler fails.
_QUOTING_TYPES = (BaseException, Message)
#: Lines that any member of a room can cause at will, one for each stream that it opens on a topic of its choice.
_LINE_FOR_EACH_STREAM = re.compile("ignoring (text|byte) stream with topic")


def redact(record: logging.LogRecord) -> bool:
    """Remove personal data from a record in place: marked fields, the texts of errors, and what the room has sent.

    A provider's error may quote the request, and so the caller. The error's type and its traceback stay.

    Returns:
        Whether the record may be logged.
    """
    if isinstance(record.msg, str):
        if _LINE_FOR_EACH_STREAM.match(record.msg):
            return logging.root.isEnabledFor(logging.DEBUG)
        if record.name == "asyncio":
            record.msg = record.msg.partition("\n")[0]  # the repr of a task follows, with that of its error
        record.msg = _MESSAGE_WITH_ERROR.sub(_redact_error, record.msg)
    elif isinstance(record.msg, _QUOTING_TYPES):
        record.msg = type(record.msg).__name__
    if isinstance(record.args, tuple):
        record.args = tuple(map(_without_quotation, record.args))
    if record.exc_info and record.exc_info[0]:
        error_type, _, traceback = record.exc_info
        record.exc_info = (Exception, Exception(error_type.__name__), traceback)
    for field in list(vars(record)):
        if _is_personal(field):
            delattr(record, field)
        elif field not in ("args", "msg", "exc_info"):
            setattr(record, field, _without_quotation(getattr(record, field)))
    return True


def _without_quotation(value: object) -> object:
    return type(value).__name__ if isinstance(value, _QUOTING_TYPES) else value


def _redact_error(match: re.Match[str]) -> str:
    return " ".join([f"{match[1]}…", *_HARMLESS_PART.findall(match[2])])


def _is_personal(field: str) -> bool:
    return field.startswith(_PERSONAL_FIELD_PREFIX) or field in _UNMARKED_PERSONAL_FIELDS
