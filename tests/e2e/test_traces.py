"""The trace of a call in Jaeger, found by the turn record of the worker's log and by the metrics."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from agent_worker.app.call_log import turn_records
from testbed import services
from testbed.processes import Child, free_port, poll
from testbed.services import Ports, running
from tests.e2e.chat import ChatParticipant, simulated_worker
from tests.tools import require_binary

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

QUESTION = "How old are trains?"
ANSWER = "Trains are old."


@dataclass(frozen=True)
class Jaeger:
    """A Jaeger that runs."""

    api_url: str
    otlp_url: str

    async def spans(self, trace_id: str) -> list[Mapping[str, Any]]:
        """Return the spans of a trace so far."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.api_url}/traces/{trace_id}") as response:
            if response.status == 404:
                return []
            (trace,) = (await response.json(content_type=None))["data"]
            return list(trace["spans"])


@pytest_asyncio.fixture(loop_scope="session")
async def jaeger(tmp_path: Path) -> AsyncIterator[Jaeger]:
    require_binary("jaeger")
    port = free_port()
    async with running([services.jaeger(port)], tmp_path):
        yield Jaeger(f"http://127.0.0.1:{port}/api", f"http://127.0.0.1:{port + 1}")


async def logged_record(worker: Child, turn: int) -> dict[str, Any]:
    """Return the record of a turn, once the worker has logged it."""

    def records() -> list[dict[str, Any]]:
        return [record for _, record in turn_records(worker.output().splitlines()) if record["turn"] == turn]

    async def is_logged() -> bool:
        return bool(records())

    await poll(is_logged)
    return records()[0]


async def whole_trace(jaeger: Jaeger, trace_id: str) -> list[Mapping[str, Any]]:
    """Return the spans of a call, once its process has sent the last one: that of the job."""

    async def is_complete() -> bool:
        return any(not span["references"] for span in await jaeger.spans(trace_id))

    await poll(is_complete)
    return await jaeger.spans(trace_id)


async def traces_in_exemplars(ports: Ports, family: str) -> set[str]:
    """Return the trace ids of a histogram's exemplars, once it has some."""

    async def found() -> set[str]:
        headers = {"Accept": "application/openmetrics-text"}
        async with aiohttp.ClientSession() as http, http.get(ports.metrics_url, headers=headers) as response:
            families = text_string_to_metric_families(await response.text())
        samples = [sample for one in families if one.name == family for sample in one.samples]
        return {sample.exemplar.labels["trace_id"] for sample in samples if sample.exemplar}

    async def is_there() -> bool:
        return bool(await found())

    await poll(is_there)  # a process that has just ended is counted by the next compaction
    return await found()


def event_times(span: Mapping[str, Any]) -> dict[str, float]:
    """Return the events of a span, in seconds after the first."""
    times = {field["value"]: log["timestamp"] / 1e6 for log in span["logs"] for field in log["fields"]}
    return {name: at - min(times.values()) for name, at in times.items()}


def tags(span: Mapping[str, Any]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in span["tags"]}


async def test_log_and_metrics_lead_to_the_trace_of_a_call(livekit: Ports, jaeger: Jaeger, tmp_path: Path) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_url, "TURN_LOG": "timing"}
    simulation = {"llm": {"*": {"replies": [ANSWER]}}}
    async with simulated_worker(tmp_path, livekit, env, simulation) as (ports, worker):
        async with ChatParticipant().joined(ports.livekit_url, "traced", "caller") as caller:
            await caller.agent()
            _, shown = await caller.turn(QUESTION)
            record = await logged_record(worker, shown["turn"])
        trace_id = record["call"]["trace_id"]
        spans = await whole_trace(jaeger, trace_id)
        in_exemplars = await traces_in_exemplars(ports, "livekit_llm_ttft_seconds")

    assert shown["call"] == {**record["call"], "worker": None, "version": None, "trace_id": None}
    assert in_exemplars == {trace_id}
    names = {span["operationName"] for span in spans}
    assert names >= {"job_entrypoint", "agent_session", "agent_turn", "llm_request", "tts_request", "turn"}

    (turn,) = [span for span in spans if tags(span).get("agent_worker.turn") == record["turn"]]
    (session,) = [span for span in spans if span["operationName"] == "agent_session"]
    assert [reference["spanID"] for reference in turn["references"]] == [session["spanID"]]
    assert session["startTime"] <= turn["startTime"] <= session["startTime"] + session["duration"]
    assert tags(turn)["agent_worker.call.id"] == record["call"]["id"]
    measured = {name: at for name, at in record["instants"].items() if at is not None}
    assert {"main_request", "main_first_token", "answer_start"} <= measured.keys()
    assert event_times(turn) == pytest.approx(measured, abs=0.001)
    assert not [words for words in (QUESTION, ANSWER) if words in json.dumps(spans)]
