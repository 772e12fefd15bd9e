"""A caller who says that they listen, over the agent's answer, on a real LiveKit server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_worker.room.topics import TURN_TOPIC
from caller import CallOptions, Wav, call
from testbed.services import API_KEY, API_SECRET, CALLER_TIMEOUT_S, Ports
from testbed.speech import Speaker
from tests.e2e.chat import simulated_worker
from tests.e2e.test_barge_in import ANSWER, PRERESPONSE, SIMULATION

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

CALLER = ("Tell me the history of trains.", "Okay.")


async def test_backchannel_over_the_answer_costs_no_word_of_it(
    livekit: Ports, speaker: Speaker, tmp_path: Path
) -> None:
    simulation = {**SIMULATION, "stt": {"*": {"final_ms": 50, "transcripts": list(CALLER)}}}
    async with simulated_worker(tmp_path, livekit, {"PRERESPONSE_STRATEGY": "llm"}, simulation) as (ports, _):
        report = await call(
            CallOptions(
                url=ports.livekit_url,
                room="backchannel",
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
    (answered,) = [record for record in records if record["caller"]]
    assert (answered["preresponse"], answered["answer"]) == (PRERESPONSE, ANSWER)
    assert not answered["interrupted"]
