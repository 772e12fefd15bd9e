"""What rooms and callers are called gets into no series: from the writer to its files, the ledger and the scrape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from agent_metrics.collector import FolderCollector
from tests.agent_metrics.processes import Samples, fold_all, samples
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
    fold_all(collector)
    registry = CollectorRegistry()
    registry.register(collector)
    page = generate_latest(registry).decode()
    collector.close()
    return samples(parse_text(page))


def after_calls(root: Path, calls: int, name: str) -> tuple[Any, set[Any], set[Any], int]:
    """The process's files and their bytes, the series while it lives and when it is folded, the ledger's bytes."""
    process = start(CALLS.replace("CALLS", str(calls)).replace("NAME", name), root)
    wait_until_written(process)
    files = {path.name.rpartition("_")[0]: path.stat().st_size for path in root.glob("p-*/*.db")}
    living = set(scraped(root))
    end(process)
    folded = set(scraped(root))
    assert [path.name for path in root.iterdir()] == ["agent-metrics"]
    return files, living, folded, (root / "agent-metrics" / "ledger.sqlite").stat().st_size


def test_ten_thousand_calls_with_hostile_names_leave_the_folder_as_it_was(tmp_path: Path) -> None:
    *plain, size = after_calls(tmp_path, 100, '"room"')
    *hostile, size_then = after_calls(tmp_path, 10_000, 'f"{HOSTILE[number % len(HOSTILE)]}{number}"')
    assert hostile == plain
    assert size_then <= size + 4096  # a page: sums have more digits by then
    counted = scraped(tmp_path)
    assert counted["livekit_conversations_total", ()] == 10_100
    assert counted["livekit_conversation_turns_total", ()] == 10_100
    assert counted["livekit_errors_total", (("component", "stt"),)] == 10_100
    assert counted["livekit_response_gap_seconds_count", (("reply", "preresponse"),)] == 20_200
