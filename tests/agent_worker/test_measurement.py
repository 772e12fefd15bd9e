from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent_metrics.collector import FolderCollector

LAST_TURN = {
    "livekit_llm_duration_ms",
    "livekit_stt_duration_ms",
    "livekit_tts_duration_ms",
    "livekit_eou_delay_ms",
    "livekit_total_conversation_latency_ms",
}
SUMS = {
    "livekit_llm_tokens_total",
    "livekit_stt_duration_seconds_total",
    "livekit_tts_chars_total",
    "livekit_total_tokens_total",
    "livekit_conversation_turns_total",
    "livekit_active_conversations",
    "livekit_llm_cost_total",
    "livekit_stt_cost_total",
    "livekit_tts_cost_total",
}


def write_as_worker(folder: Path, code: str) -> None:
    """Run code in a process of its own that writes metrics as a worker's job does."""
    folder.mkdir(parents=True)
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    subprocess.run([sys.executable, "-c", f"from agent_worker import metrics\n{code}"], env=env, check=True)


def scrape(folder: Path) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(FolderCollector(folder))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in families
        for sample in family.samples
    }


def test_sums_are_there_before_the_first_call_and_latencies_of_a_last_turn_are_not(tmp_path: Path) -> None:
    write_as_worker(tmp_path / "worker-1", "")
    names = {name.split("{")[0] for name in scrape(tmp_path)}
    assert names >= SUMS
    assert not names & LAST_TURN


def test_workers_add_up_and_the_newest_latency_wins(tmp_path: Path) -> None:
    write_as_worker(
        tmp_path / "worker-1",
        "metrics.count_llm_tokens(1000, 100); metrics.TURNS.inc(); metrics.EOU_DELAY.set(500)",
    )
    write_as_worker(
        tmp_path / "worker-2",
        "metrics.count_llm_tokens(1000, 100); metrics.count_tts_chars(1000); metrics.count_stt_audio(60)",
    )
    values = scrape(tmp_path)
    assert values['livekit_llm_tokens_total{"type": "prompt"}'] == 2000
    assert values['livekit_llm_tokens_total{"type": "completion"}'] == 200
    assert values["livekit_total_tokens_total{}"] == 2200
    assert values["livekit_conversation_turns_total{}"] == 1
    assert round(values["livekit_llm_cost_total{}"], 9) == 0.026
    assert round(values["livekit_tts_cost_total{}"], 9) == 0.015
    assert round(values["livekit_stt_cost_total{}"], 9) == 0.006
    assert values["livekit_eou_delay_ms{}"] == 500
