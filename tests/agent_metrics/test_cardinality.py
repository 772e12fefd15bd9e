"""Names of rooms and callers get into no series: not in files, ledger or scrape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from agent_metrics.collector import FolderCollector
from tests.agent_metrics.fake_processes import Samples, compact_all, samples
from tests.agent_metrics.test_writer import end, start, wait_until_written

CALLS = """
import asyncio, logging
from livekit.agents import AgentSession, ChatMessage, CloseEvent, CloseReason, ConversationItemAddedEvent, metrics
from livekit.agents import AgentStateChangedEvent
from agent_worker.telemetry.session_meter import SessionMeter
from agent_worker.telemetry.pricing import Prices
from tests.agent_worker.museum import museum_agent
from tests.agent_worker.test_session_meter import HOSTILE, a_stack, llm_event, record

logging.disable()  # livekit logs that a session without an agent has none

def call(name):
    stack, session = a_stack(), AgentSession()
    meter = SessionMeter(stack, Prices.load())
    meter.watch(session, museum_agent())
    session.emit("agent_state_changed", AgentStateChangedEvent(old_state="initializing", new_state="listening"))
    message = ChatMessage(id=name, role="user", content=[name], extra={"room": name, "caller": name})
    session.emit("conversation_item_added", ConversationItemAddedEvent(item=message))
    for model in (stack.fast_llm, stack.main_llm):
        model.emit("metrics_collected", llm_event(label=name, request_id=name, speech_id=name))
    for component in (stack.stt, stack.main_llm, stack.fast_llm, stack.tts):
        component.emit("error", RuntimeError(name))
    for outcome in ("spoken", name):
        record(meter, said=f"Let me see. {name}", words=name, playouts=[(0.5, 1.5), (1.75, 3.0)],
               outcome="spoken", strategy=name, interrupted=outcome == name)
    session.emit("close", CloseEvent(error=None, reason=CloseReason.JOB_SHUTDOWN))

async def calls():
    for number in range(CALLS):
        call(NAME)

asyncio.run(calls())
"""


def scraped(root: Path) -> Samples:
    collector = FolderCollector(root)
    compact_all(collector)
    registry = CollectorRegistry()
    registry.register(collector)
    page = generate_latest(registry).decode()
    collector.close()
    return samples(parse_text(page))


def run_calls(root: Path, calls: int, name: str) -> tuple[Any, set[Any], set[Any], int]:
    """Return the process's files and sizes, its series while it lives and when it is compacted, the ledger's size."""
    process = start(CALLS.replace("CALLS", str(calls)).replace("NAME", name), root)
    wait_until_written(process)
    files = {path.name.rpartition("_")[0]: path.stat().st_size for path in root.glob("p-*/*.db")}
    living = set(scraped(root))
    end(process)
    compacted = set(scraped(root))
    assert [path.name for path in root.iterdir()] == ["agent-metrics"]
    return files, living, compacted, (root / "agent-metrics" / "ledger.sqlite").stat().st_size


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_hostile_names_of_rooms_and_callers_make_no_series(tmp_path: Path) -> None:
    calls = 10_000
    *plain, size = run_calls(tmp_path, 100, '"room"')
    *hostile, size_then = run_calls(tmp_path, calls, 'f"{HOSTILE[number % len(HOSTILE)]}{number}"')
    assert hostile == plain
    assert size_then <= size + 4096  # one database page: sums have more digits
    counted = scraped(tmp_path)
    assert counted["livekit_conversations_total", ()] == 100 + calls
    assert counted["livekit_conversation_turns_total", ()] == 100 + calls
    assert counted["livekit_errors_total", (("component", "stt"), ("reason", "other"))] == 100 + calls
    assert counted["livekit_response_gap_seconds_count", (("reply", "preresponse"),)] == 2 * (100 + calls)
