"""A spoken conversation with a real LiveKit server, real plugins and real models."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.conversation import TurnResult, converse
from testbed.processes import free_port, poll, responds
from testbed.services import LONG_TIMEOUTS, Ports, running, worker, worker_env
from tests.e2e.metrics import scrape, scrape_after_calls

pytestmark = [pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]

SHORT_ANSWERS = {"ANSWER_MAX_TOKENS": "20"}  # they are spoken in real time
SENTENCES = (
    "What is the best way to learn how to cook?",
    "Please tell me a little bit about the history of trains.",
)


# With the script of the cloud stack; test_demo.py and test_ollama.py use the other one.
async def test_caller_is_understood_and_answered_aloud_and_the_metrics_agree(
    real_models: Ports, tmp_path: Path
) -> None:
    ports = replace(real_models, metrics=free_port())
    folder = tmp_path / "metrics"
    folder.mkdir()
    env = {
        **worker_env(ports, folder),
        **SHORT_ANSWERS,
        **LONG_TIMEOUTS,
        "METRICS_PORT": str(ports.metrics),
        "PRERESPONSE_STRATEGY": "hybrid",
    }
    services = [worker("fast-preresponse.py", env)]
    during: list[float] = []
    async with running(services, tmp_path):

        def check_turn(turn: TurnResult) -> None:
            assert turn.ok, turn
            assert turn.answer, turn

        async def call_is_counted() -> bool:
            during.append((await scrape(ports)).get("livekit_active_conversations", 0))
            return during[-1] > 0

        counting = asyncio.create_task(poll(call_is_counted))
        turns, report = await converse(ports, "conversation", SENTENCES, check_turn)
        await counting
        (values,) = await scrape_after_calls(ports)
        assert not list(folder.glob("*/*.db"))  # each process of the worker has a folder with a lock
    assert not await responds(f"http://127.0.0.1:{ports.metrics}/healthz")  # it has ended with the worker

    assert len(turns) == len(SENTENCES)
    assert any(turn.preresponse for turn in turns)
    assert during[-1] == 1
    assert values["livekit_active_conversations"] == 0
    assert values["livekit_conversation_turns_total"] == len(SENTENCES)
    tokens = values["livekit_llm_tokens_total[prompt]"], values["livekit_llm_tokens_total[completion]"]
    assert min(tokens) > 0
    assert values["livekit_total_tokens_total"] == sum(tokens)
    assert values["livekit_llm_cost_total"] == pytest.approx(tokens[0] * 1e-5 + tokens[1] * 3e-5)
    spoken = sum(len(turn.answer) for turn in turns)  # greeting and phrases were made before the call
    assert values["livekit_tts_chars_total"] >= 0.9 * spoken  # a discarded preemptive attempt counts too
    assert values["livekit_tts_cost_total"] == pytest.approx(values["livekit_tts_chars_total"] * 0.000015)
    speech = sum(turn.last_sent - turn.first_sent for turn in report.turns)
    assert values["livekit_stt_duration_seconds_total"] > speech
    for name in ("llm_duration", "stt_duration", "tts_duration", "eou_delay", "total_conversation_latency"):
        assert values[f"livekit_{name}_ms"] > 0
