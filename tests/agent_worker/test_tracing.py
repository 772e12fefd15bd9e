"""The trace of a call: a span for each turn with its instants, without words, sent over OTLP."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gzip
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from livekit.agents import ChatMessage
from livekit.agents.telemetry import tracer
from livekit.agents.utils import http_context
from livekit.plugins import deepgram, openai
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent_worker.core.settings import TraceSettings
from agent_worker.telemetry.record import CallIdentity, Playout, SpeechTimestamps, TurnRecord, Usage, turn_record
from agent_worker.telemetry.trace import TurnTrace
from agent_worker.telemetry.tracing import (
    TurnSpans,
    current_trace_id,
    end_tracing,
    send_trace_context,
    send_trace_context_of_session,
    start_tracing,
)

WORDS = "my card number is 4242"
AT_S = 1_790_000_000.0
CALL = CallIdentity("call-12ab", "call-12ab", "pod-1", "0.1.0")


@pytest.fixture(autouse=True)
def _restored_tracer() -> Iterator[None]:
    provider = tracer._tracer_provider
    yield
    tracer.set_provider(provider)


def a_turn(number: int = 2, cost: float = 0.25, **changes: Any) -> TurnRecord:
    speech = SpeechTimestamps(last_voice=100.0, stt_final=100.2, end_of_turn=100.45)
    engine = TurnTrace("phrase", outcome="answer_first", move="consent", main_request=99.8, main_first_token=100.8)
    caller, reply = (ChatMessage(role=role, content=[WORDS]) for role in ("user", "assistant"))
    record = turn_record(
        number, caller, [reply], [Playout(101.0, 103.0)], engine, speech, wall_clock_offset_s=AT_S - 100.0
    )
    usage = Usage(prompt_tokens=100 * number, completion_tokens=10 * number, cost_usd=cost)
    return dataclasses.replace(record, call=CALL, usage=usage, **changes)


def settings(endpoint: str | None = "http://127.0.0.1:1", **more: Any) -> TraceSettings:
    return TraceSettings(otel_exporter_otlp_endpoint=endpoint, **more)


def spans_of(*records: TurnRecord, **more: Any) -> list[Any]:
    exporter = InMemorySpanExporter()
    provider = start_tracing(settings(**more), "0.1.0", exporter)
    assert provider is not None
    with tracer.start_as_current_span("agent_session", attributes={"lk.pii.said": WORDS}) as root:
        session: Any = SimpleNamespace(_root_span_context=trace.set_span_in_context(root))
        turns = TurnSpans(session)
        for record in records:
            turns.add(record)
    provider.force_flush()
    provider.shutdown()
    return list(exporter.get_finished_spans())


def test_span_of_a_turn_has_the_instants_of_its_record_as_events_on_the_wall_clock() -> None:
    turn, session = spans_of(a_turn())
    assert (turn.name, turn.parent.span_id) == ("turn", session.context.span_id)
    events = [(event.name, round(event.timestamp / 1e9 - AT_S, 3)) for event in turn.events]
    assert events == [
        ("main_request", -0.2),
        ("last_voice", 0.0),
        ("stt_final", 0.2),
        ("end_of_turn", 0.45),
        ("main_first_token", 0.8),
        ("answer_start", 1.0),
        ("answer_end", 3.0),
    ]
    assert [round(at / 1e9 - AT_S, 3) for at in (turn.start_time, turn.end_time)] == [-0.2, 3.0]


def test_attributes_find_slow_dear_and_unanswered_turns() -> None:
    first, second, _ = spans_of(a_turn(), a_turn(3, cost=0.75))
    shown = {name.removeprefix("agent_worker."): value for name, value in second.attributes.items()}
    assert (shown["call.id"], shown["room"], shown["preresponse.move"]) == ("call-12ab", "call-12ab", "consent")
    assert (shown["turn"], shown["response_gap_s"], shown["answer_gap_s"]) == (3, 1.0, 1.0)
    assert (shown["prompt_tokens"], shown["completion_tokens"], shown["cost_usd"]) == (100, 10, 0.5)
    assert first.status.is_ok
    record = a_turn()
    silent = dataclasses.replace(record, instants=dataclasses.replace(record.instants, answer_start=None))
    unanswered, _ = spans_of(silent)
    assert not unanswered.status.is_ok
    assert unanswered.attributes["agent_worker.unanswered"] is True


def test_traces_hold_words_only_if_the_operator_wants_it() -> None:
    for wanted in (False, True):
        found = "".join(span.to_json() for span in spans_of(a_turn(), trace_words=wanted))
        assert (WORDS in found) is wanted


def test_without_an_endpoint_nothing_is_traced() -> None:
    assert start_tracing(settings(None), "0.1.0") is None
    session: Any = SimpleNamespace(_root_span_context=None)
    TurnSpans(session).add(a_turn())
    assert current_trace_id() is None


def test_trace_that_the_sampler_leaves_out_has_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    provider = start_tracing(settings(), "0.1.0", InMemorySpanExporter())
    assert provider is not None
    with tracer.start_as_current_span("job_entrypoint"):
        assert current_trace_id() is None
    provider.shutdown()


class Collector:
    """An OTLP endpoint."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[ExportTraceServiceRequest] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self.requests.append(ExportTraceServiceRequest.FromString(body))
        return web.Response(content_type="application/x-protobuf")


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    found = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


async def test_trace_arrives_over_otlp_with_the_service_and_its_version(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    provider = start_tracing(settings(collector.url), "3f2a1c")
    assert provider is not None
    with tracer.start_as_current_span("job_entrypoint"):
        trace_id = current_trace_id()
    await asyncio.to_thread(provider.shutdown)
    (request,) = collector.requests
    (resource,) = request.resource_spans
    named = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert (named["service.name"], named["service.version"]) == ("agent-worker", "3f2a1c")
    (span,) = resource.scope_spans[0].spans
    assert (span.name, span.trace_id.hex()) == ("job_entrypoint", trace_id)


class StuckExporter(SpanExporter):
    """Exports nothing before it is released, as to a backend that does not answer."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.released.wait()
        return SpanExportResult.FAILURE


def test_process_ends_although_the_backend_does_not_answer(caplog: pytest.LogCaptureFixture) -> None:
    exporter = StuckExporter()
    provider = start_tracing(settings(), "0.1.0", exporter)
    assert provider is not None
    with tracer.start_as_current_span("job_entrypoint"):
        pass
    end_tracing(provider, timeout_s=0.1)
    assert not exporter.released.is_set()
    assert "were not exported" in caplog.text
    exporter.released.set()


@contextlib.asynccontextmanager
async def trace_contexts_at(path: str, handler: Callable[[web.Request], Awaitable[Any]]) -> AsyncIterator[list[str]]:
    """Run a provider and export traces; yield the URL of the provider, then the traceparent of each request to it."""
    sent: list[str] = []

    async def handle(request: web.Request) -> Any:
        sent.append(request.headers.get("traceparent", ""))
        return await handler(request)

    app = web.Application()
    app.router.add_get(path, handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider = start_tracing(settings(), "0.1.0", InMemorySpanExporter())
    assert provider is not None
    sent.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield sent
    finally:
        await runner.cleanup()
        await asyncio.to_thread(provider.shutdown)


def trace_ids(sent: Sequence[str]) -> list[str]:
    return [header.split("-")[1] for header in sent]


async def test_request_to_a_provider_carries_the_trace_context() -> None:
    async def models(request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": []})

    async with trace_contexts_at("/v1/models", models) as sent:
        model = openai.LLM(model="any", api_key="key", base_url=f"{sent.pop()}/v1")
        send_trace_context(model)
        send_trace_context(object())  # a component with another client
        with tracer.start_as_current_span("llm_node"):
            expected = current_trace_id()
            await model._client.models.list()
        await model.aclose()
    assert trace_ids(sent) == [expected]


async def test_websocket_of_the_recogniser_carries_the_trace_context() -> None:
    connected = asyncio.Event()

    async def listen(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        connected.set()
        async for _ in websocket:
            pass
        return websocket

    async with trace_contexts_at("/v1/listen", listen) as sent, http_context.open():
        recogniser = deepgram.STT(api_key="key", base_url=f"{sent.pop()}/v1/listen")
        send_trace_context_of_session()
        with tracer.start_as_current_span("stt_node"):
            expected = current_trace_id()
            stream = recogniser.stream()
        await connected.wait()
        await stream.aclose()
    assert trace_ids(sent) == [expected]
