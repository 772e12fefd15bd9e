"""OpenTelemetry traces of calls: livekit-agents' spans, and one span for each turn with the instants of its record."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Mapping
from datetime import datetime
from multiprocessing import util
from typing import Any

from livekit.agents import AgentSession
from livekit.agents.telemetry import set_tracer_provider, tracer
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from agent_worker.core.compat.livekit import on_request, on_session_request, session_trace_context
from agent_worker.core.log import logger
from agent_worker.core.settings import TraceSettings
from agent_worker.telemetry.record import TurnRecord, Usage

_SERVICE_NAME = "agent-worker"
_PREFIX = "agent_worker"
_NS_PER_S = 1_000_000_000
#: The exporter itself tries for 10 s.
_FLUSH_TIMEOUT_S = 5.0


def start_tracing(settings: TraceSettings, version: str, exporter: SpanExporter | None = None) -> TracerProvider | None:
    """Export the traces of this process, if ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set. Call it once in a process.

    The SDK reads the other ``OTEL_`` variables, such as the exporter's headers, the sampler and the service's name.

    Args:
        settings: Whether, and with what.
        version: Version of this deployment.
        exporter: Instead of OTLP over HTTP.

    Returns:
        The provider of the traces; None without an endpoint.
    """
    if settings.otel_exporter_otlp_endpoint is None:
        return None
    usual = {"service.name": _SERVICE_NAME, "service.version": version, "service.instance.id": socket.gethostname()}
    resource = Resource.create(usual).merge(
        OTELResourceDetector().detect()
    )  # what OTEL_SERVICE_NAME and others say wins
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    set_tracer_provider(provider, allow_pii=settings.trace_words)
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
    # The process of a call ends without Python's exit handlers; the span of its job ends after the job's own.
    util.Finalize(None, end_tracing, (provider,), exitpriority=10)
    return provider


def end_tracing(provider: TracerProvider, timeout_s: float = _FLUSH_TIMEOUT_S) -> None:
    """Export what is left, and return after ``timeout_s`` at most: a call takes a slot until its process has ended."""
    thread = threading.Thread(target=provider.shutdown, name="end_tracing", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        logger.warning("the last spans of a trace were not exported within %.0f s", timeout_s)


def current_trace_id() -> str | None:
    """Return the id of the trace that the running code belongs to, 32 hexadecimal digits.

    None without a trace, and for one that the sampler has left out.
    """
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid and context.trace_flags.sampled else None


def send_trace_context(model: Any) -> None:
    """Send the W3C trace context with each HTTP request of a component, if it has one of OpenAI's clients."""
    on_request(model, propagate.inject)


def send_trace_context_of_session() -> None:
    """Send it too with each request of the job's HTTP session, which Deepgram's websocket begins with."""
    on_session_request(propagate.inject)


class TurnSpans:
    """Make a span of each turn, below that of the session.

    Args:
        session: The session of the call.
    """

    def __init__(self, session: AgentSession[Any]) -> None:
        self._session = session
        self._used = Usage()

    def add(self, record: TurnRecord) -> None:
        """Add a turn that is over, if the call is traced."""
        context = session_trace_context(self._session)
        before, self._used = self._used, record.usage or self._used
        at = {name: value for name, value in dataclasses.asdict(record.instants).items() if value is not None}
        if context is None or record.time is None or not trace.get_current_span(context).is_recording():
            return
        zero = datetime.fromisoformat(record.time.replace("Z", "+00:00")).timestamp()
        begin, end = min(at.values()), max(at.values())
        span = tracer.start_span(
            "turn", context=context, start_time=_ns(zero + begin), attributes=_attributes(record, before)
        )
        for name, seconds in sorted(at.items(), key=lambda each: each[1]):
            span.add_event(name, timestamp=_ns(zero + seconds))
        if is_unanswered(record):
            span.set_status(trace.StatusCode.ERROR, "no answer")
        span.end(_ns(zero + end))


def is_unanswered(record: TurnRecord) -> bool:
    """Whether the caller said something, heard no answer, and is not the reason for that."""
    return record.caller is not None and record.instants.answer_start is None and not record.interrupted


def _attributes(record: TurnRecord, before: Usage) -> dict[str, Any]:
    call = record.call
    usage = record.usage or before
    found: Mapping[str, Any] = {
        "turn": record.turn,
        "call.id": call.id if call else None,
        "room": call.room if call else None,
        "strategy": record.strategy,
        "intent": record.kind,
        "preresponse.source": record.preresponse_source,
        "preresponse.move": record.preresponse_move,
        "preresponse.outcome": record.preresponse_outcome,
        "interrupted": record.interrupted,
        "unanswered": is_unanswered(record),
        "end_of_turn_delay_s": record.end_of_turn_delay,
        "response_gap_s": record.response_gap,
        "answer_gap_s": record.answer_gap,
        "prompt_tokens": usage.prompt_tokens - before.prompt_tokens,
        "completion_tokens": usage.completion_tokens - before.completion_tokens,
        "cost_usd": round(usage.cost_usd - before.cost_usd, 9),
    }
    return {f"{_PREFIX}.{name}": value for name, value in found.items() if value is not None}


def _ns(seconds: float) -> int:
    return int(seconds * _NS_PER_S)
