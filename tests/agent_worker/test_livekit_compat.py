"""Assumptions about the pinned livekit-agents. A failure says what to check before the pin is raised."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
from collections.abc import AsyncIterable, AsyncIterator
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import aiohttp
from livekit import rtc
from livekit.agents import (
    AMD,
    Agent,
    AgentServer,
    AgentSession,
    AMDPredictionEvent,
    ModelSettings,
    Plugin,
    function_tool,
    inference,
    llm,
)
from livekit.agents.beta.tools import send_dtmf
from livekit.agents.utils import http_context
from livekit.agents.voice import agent_activity, room_io
from livekit.agents.voice.room_io import _output as room_output
from livekit.plugins import openai
from livekit.protocol.agent import WorkerStatus

from agent_worker.core.compat import livekit
from agent_worker.testing import ManualAudioOutput, ScriptedLLM, ScriptedTTS, tone
from tests.waiting import settle, until


def test_version_is_the_one_that_the_code_was_written_for() -> None:
    assert metadata.version("livekit-agents") == livekit.VERSION, (
        "livekit-agents has another version: go through agent_worker/core/compat/livekit.py, run the tests of "
        "log lines, end of turn and playout, and then change VERSION there"
    )


def test_plugins_are_preloaded_in_the_order_of_their_registration() -> None:
    assert "[p.package for p in Plugin.registered_plugins] + self._preload_modules" in inspect.getsource(AgentServer), (
        "AgentServer preloads modules in another way: check that agent_worker.app.preload is still imported before "
        "the plugins in the process from which calls are forked, else livekit's metrics are lost"
    )


async def test_worker_serves_json_beside_its_health() -> None:
    server = livekit.JsonAgentServer(
        ws_url="ws://127.0.0.1:1", api_key="key", api_secret="secret", host="127.0.0.1", port=0
    )
    server.serve_json(
        "/slots", lambda: {"registered": livekit.is_registered(server), "load": livekit.worker_load(server)}
    )
    server.rtc_session(lambda _: settle())
    started = asyncio.Event()
    server.on("worker_started", started.set)
    running = asyncio.create_task(server.run(unregistered=True, devmode=True))
    try:
        await started.wait()
        async with aiohttp.ClientSession() as http:
            port = server.worker_info.http_port
            async with http.get(f"http://127.0.0.1:{port}/slots") as response:
                found = await response.json()
                assert found["registered"] is False
                assert 0 <= found["load"] <= 1
            async with http.get(f"http://127.0.0.1:{port}/") as response:
                assert await response.text() == "OK"
        assert livekit.accepted_calls(server) == 0
        assert vars(server)["_previous_status"] == WorkerStatus.WS_AVAILABLE
        assert not livekit.is_marked_full(server)
    finally:
        await server.aclose()
        await running


def test_preloaded_module_comes_before_every_plugin() -> None:
    registered = Plugin.registered_plugins
    try:
        livekit.preload_first("some.module")
        assert Plugin.registered_plugins[0].package == "some.module"
    finally:
        del registered[0]


def test_text_input_has_a_default_callback_that_interrupts_and_replies() -> None:
    assert "await sess.interrupt()\n        sess.generate_reply" in inspect.getsource(
        livekit.default_text_input_callback()  # type: ignore[arg-type]
    ), "livekit-agents handles text input in another way: check BoundedTextInput, which calls it"
    assert list(inspect.signature(room_io.TextInputEvent).parameters) == ["text", "info", "participant"], (
        "TextInputEvent has other fields: check BoundedTextInput, which makes one"
    )


def test_lazily_imported_client_modules_exist() -> None:
    missing = [name for name in livekit.LAZY_CLIENT_MODULES if importlib.util.find_spec(name) is None]
    assert not missing, "the clients have other modules: remove these from LAZY_CLIENT_MODULES"


def test_certificates_are_loaded_for_all_clients_of_the_process() -> None:
    livekit.load_certificates()
    before = http_context._ssl_context_for.cache_info()
    http_context._create_ssl_context()
    assert http_context._ssl_context_for.cache_info().misses == before.misses
    assert "ssl=_create_ssl_context()" in inspect.getsource(http_context._new_session_ctx)


async def test_nodes_of_a_reply_run_with_its_speech_handle_and_outside_of_them_there_is_none() -> None:
    seen: list[object] = []

    class Watching(Agent):
        async def llm_node(self, *_: Any) -> AsyncIterator[str]:
            seen.append(livekit.current_speech_handle())
            yield "Nine."

        async def tts_node(self, text: AsyncIterable[str], _: ModelSettings) -> AsyncIterator[rtc.AudioFrame]:
            seen.append(livekit.current_speech_handle())
            async for _piece in text:
                yield tone(0.1)

    options: Any = {"turn_detection": None}
    async with AgentSession[Any](llm=ScriptedLLM(), tts=ScriptedTTS(), vad=None, turn_handling=options) as session:
        session.output.audio = ManualAudioOutput(automatic=True)
        await session.start(Watching(instructions=""))
        reply = session.generate_reply(user_input="When?")
        await reply
    assert seen == [reply, reply], (
        "livekit-agents keeps a reply's speech handle elsewhere: mend current_speech_handle in "
        "agent_worker/core/compat/livekit.py, or the pre-response is taken for the answer"
    )
    assert livekit.current_speech_handle() is None


async def test_tool_at_work_is_seen_from_its_call_to_its_end() -> None:
    begun, over, seen = asyncio.Event(), asyncio.Event(), list[bool]()

    @function_tool
    async def book() -> str:
        """Book a table."""
        begun.set()
        await over.wait()
        return "booked"

    call = llm.FunctionToolCall(name="book", arguments="{}", call_id="1")
    options: Any = {"turn_detection": None}
    async with AgentSession[Any](
        llm=ScriptedLLM("Done.", tool_call=call), tts=ScriptedTTS(), vad=None, turn_handling=options
    ) as session:
        session.output.audio = ManualAudioOutput(automatic=True)
        await session.start(Agent(instructions="", tools=[book]))
        seen.append(livekit.has_running_tools(session))
        reply = session.generate_reply(user_input="Book it.")
        await begun.wait()
        seen.append(livekit.has_running_tools(session))
        over.set()
        await reply
        await until(lambda: session.agent_state == "listening")
        seen.append(livekit.has_running_tools(session))
    assert seen == [False, True, False], (
        "livekit-agents keeps running tools elsewhere: mend has_running_tools in agent_worker/core/compat/livekit.py, "
        "or callers who wait for a tool are asked whether they are there"
    )


async def test_handlers_of_a_room_run_in_the_order_in_which_they_were_registered() -> None:
    room, ran = rtc.Room(), list[int]()
    handlers = [lambda _, number=number: ran.append(number) for number in range(20)]
    for handler in handlers:
        room.on("participant_disconnected", handler)
    room.emit("participant_disconnected", None)
    assert ran == list(range(20)), (
        "the room's handlers run in another order: check agent_worker/room/callers.py, which has to choose another "
        "caller before livekit-agents closes the session of the one who leaves"
    )


async def test_transcripts_go_to_the_caller_only_and_not_by_the_old_protocol() -> None:
    assert "stream_text(\n            topic=TOPIC_TRANSCRIPTION" in inspect.getsource(room_output), (
        "livekit-agents sends transcripts in another way: check send_transcripts_only_to"
    )
    sent: list[tuple[str, Any]] = []

    async def stream_text(*, topic: str, destination_identities: Any = None, **_: Any) -> Any:
        sent.append((topic, destination_identities))
        return SimpleNamespace(write=_nothing, aclose=_nothing)

    async def publish_transcription(_: Any) -> None:
        sent.append(("legacy", None))

    callers: list[str | None] = ["caller"]
    me = SimpleNamespace(
        identity="agent",
        stream_text=stream_text,
        publish_transcription=publish_transcription,
        track_publications={"t": SimpleNamespace(sid="t", source=rtc.TrackSource.SOURCE_MICROPHONE, track=None)},
    )
    old_client = SimpleNamespace(
        identity="caller",
        kind=rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
        attributes={},
        track_publications={},
        _info=SimpleNamespace(client_protocol=0),
    )
    room: Any = SimpleNamespace(
        local_participant=me,
        remote_participants={"caller": old_client},
        isconnected=lambda: True,
        on=lambda *_: None,
        off=lambda *_: None,
    )
    livekit.send_transcripts_only_to(room, lambda: callers[0])
    output = room_output._ParticipantTranscriptionOutput(room=room, participant="agent")

    async def say(text: str) -> list[str]:
        sent.clear()
        await output.capture_text(text)
        output.flush()
        await settle()
        return sorted(set(map(repr, sent)))

    to_caller = repr(("lk.transcription", ["caller"]))
    assert await say("Hello.") == [to_caller]
    callers[0] = None
    assert await say("Hello.") == [repr(("lk.transcription", ["agent"]))]


async def _nothing(*_: Any, **__: Any) -> None:
    pass


async def test_what_the_room_hears_of_the_agent_is_the_audio_source_of_the_rooms_output() -> None:
    output = room_output._ParticipantAudioOutput(
        rtc.Room(), sample_rate=24_000, num_channels=1, track_publish_options=rtc.TrackPublishOptions()
    )
    in_room: Any = SimpleNamespace(room_io=SimpleNamespace(_audio_output=output))
    source = livekit.room_audio_source(in_room)
    assert isinstance(source, rtc.AudioSource)
    assert source.sample_rate == 24_000
    await source.aclose()
    assert "_audio_output" in inspect.getsource(room_io.RoomIO.__init__)


async def test_session_without_a_room_has_no_audio_source() -> None:
    async with AgentSession[Any]() as session:
        assert livekit.room_audio_source(session) is None


async def test_stream_of_a_model_goes_through_what_it_is_wrapped_in() -> None:
    seen: list[object] = []

    async def create(**_: Any) -> str:
        return "the client's stream"

    model = openai.LLM(model="m", api_key="x", base_url="http://127.0.0.1:9/v1")
    model._client.chat.completions.create = create  # type: ignore[method-assign, assignment]
    livekit.on_chat_stream(model, seen.append)
    await model._client.chat.completions.create()
    assert seen == ["the client's stream"]
    assert "self._client.chat.completions.create(" in inspect.getsource(inference.llm.LLMStream._run), (
        "livekit-agents opens the stream in another way: check agent_worker/providers/chat_stream.py"
    )
    assert 'getattr(delta, "extra_content", None)' in inspect.getsource(inference.llm.LLMStream._parse_choice), (
        "livekit-agents does not pass `extra_content` on: check agent_worker/providers/chat_stream.py, whose marks of "
        "progress travel in it"
    )
    await model.aclose()


def test_detector_of_answering_machines_has_the_hooks_that_are_replaced() -> None:
    hooks = {
        "_setup": ["self", "session"],
        "_on_end_of_turn": ["self", "info"],
        "_on_amd_prediction": ["self", "result"],
    }
    for name, parameters in hooks.items():
        assert list(inspect.signature(vars(AMD)[name]).parameters) == parameters, (
            f"livekit-agents' AMD has another {name}: check AnswerDetector, or the agent talks to machines"
        )
    ends = inspect.getsource(agent_activity.AgentActivity.on_end_of_turn)
    assert "amd._on_end_of_turn(info)" in ends
    assert "info.skip_reply = True" in ends
    assert {"speech_duration", "category", "reason", "transcript", "delay"} < {*AMDPredictionEvent.model_fields}
    assert "_user_turn_completed_atask" in inspect.getsource(agent_activity.AgentActivity.on_end_of_turn)
    assert "session.options.preemptive_generation" in inspect.getsource(
        agent_activity.AgentActivity.preemptive_generation_opts.fget  # type: ignore[attr-defined]
    )


def test_tool_for_keys_tells_of_a_failure_as_expected() -> None:
    assert 'return f"Failed to send' in inspect.getsource(send_dtmf)
