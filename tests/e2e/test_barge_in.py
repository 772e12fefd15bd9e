"""A caller who interrupts. ProviderNames with chosen texts, so that the reply is long for certain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_worker.room.topics import TURN_TOPIC
from caller import CallOptions, Text, call
from testbed.processes import free_port
from testbed.services import API_KEY, API_SECRET, Ports, model_server, running, worker, worker_env

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]

PRERESPONSE = "Let me look into that for you."
ANSWER = " ".join(f"This is sentence number {number} of a long story about trains." for number in range(1, 6))
SIMULATION = {
    "llm": {
        "llama-3.1-8b-instant": {"ttft_ms": 50, "replies": [PRERESPONSE]},
        "*": {"ttft_ms": 2000, "replies": [ANSWER]},
    },
    "stt": {"*": {"final_ms": 50, "transcripts": ["Tell me the history of trains.", "Stop, that is enough."]}},
}


async def test_barge_in_stops_both_segments_and_history_holds_only_what_was_spoken(
    real_models: Ports, tmp_path: Path
) -> None:
    simulation = tmp_path / "simulation.json"
    simulation.write_text(json.dumps(SIMULATION))
    ports = Ports(real_models.livekit, free_port(), free_port())
    services = [
        model_server(ports.models, "--simulated", str(simulation)),
        worker(
            "fast-preresponse.py",
            {**worker_env(ports, tmp_path), "PRERESPONSE_STRATEGY": "llm", "PRERESPONSE_AUDIO_DIR": str(tmp_path)},
        ),
    ]
    async with running(services, tmp_path):
        report = await call(
            CallOptions(
                url=ports.livekit_url,
                room=f"room-{free_port()}",
                api_key=API_KEY,
                api_secret=API_SECRET,
                utterances=[Text("Tell me the history of trains."), Text("Stop, that is enough.")],
                topics=[TURN_TOPIC],
                speech_url=real_models.models_url,  # speech that the worker's voice activity detector knows as such
                barge_in=6.0,
                greeting_wait=15,
            )
        )
    records = [json.loads(text.text) for text in report.texts]
    (interrupted,) = [record for record in records if record["interrupted"]]
    assert interrupted["preresponse"] == PRERESPONSE
    assert 0 < len(interrupted["answer"]) < len(ANSWER)
    assert ANSWER.startswith(interrupted["answer"].rstrip("."))
    assert report.turns[1].first_heard is not None
