"""A caller who interrupts the agent. The models' texts are chosen, so that the reply is long in every case."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_worker.room.topics import TURN_TOPIC
from caller import CallOptions, Wav, call
from testbed.services import API_KEY, API_SECRET, CALLER_TIMEOUT_S, Ports
from testbed.speech import Speaker
from tests.e2e.chat import simulated_worker

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

CALLER = ("Tell me the history of trains.", "Stop, that is enough.")
PRERESPONSE = "Let me look into that for you."
ANSWER = " ".join(f"This is sentence number {number} of a long story about trains." for number in range(1, 6))
SIMULATION = {
    "llm": {
        "llama-3.1-8b-instant": {"ttft_ms": 50, "replies": [PRERESPONSE]},
        "*": {"ttft_ms": 2000, "replies": [ANSWER]},
    },
    "stt": {"*": {"final_ms": 50, "transcripts": list(CALLER)}},
}


async def test_barge_in_stops_pre_response_and_answer_and_history_has_only_what_was_spoken(
    livekit: Ports, speaker: Speaker, tmp_path: Path
) -> None:
    async with simulated_worker(tmp_path, livekit, {"PRERESPONSE_STRATEGY": "llm"}, SIMULATION) as (ports, _):
        report = await call(
            CallOptions(
                url=ports.livekit_url,
                room="barge-in",
                api_key=API_KEY,
                api_secret=API_SECRET,
                utterances=[Wav(await speaker.wav(sentence)) for sentence in CALLER],
                topics=[TURN_TOPIC],
                barge_in=6.0,
                greeting_wait=0,
                connect_timeout=CALLER_TIMEOUT_S,
                agent_timeout=CALLER_TIMEOUT_S,
                reply_timeout=CALLER_TIMEOUT_S,
            )
        )
    records = [json.loads(text.text) for text in report.texts]
    (interrupted,) = [record for record in records if record["interrupted"]]
    assert interrupted["preresponse"] == PRERESPONSE
    assert 0 < len(interrupted["answer"]) < len(ANSWER)
    assert ANSWER.startswith(interrupted["answer"].rstrip("."))
    assert report.turns[1].first_heard is not None
