"""The models of the end of the turn, in the worker's process for them, on a real LiveKit server."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from agent_worker.room.topics import TURN_TOPIC
from agent_worker.turn_taking import smart_turn
from agent_worker.turn_taking.shared_models import MiniRunner, SmartTurnRunner
from caller import CallOptions, Turn, Wav, call
from testbed.services import API_KEY, API_SECRET, CALLER_TIMEOUT_S, Ports
from testbed.speech import Speaker
from tests.e2e.chat import simulated_worker

pytestmark = [
    pytest.mark.slow,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(
        not smart_turn.weights_path().is_file(),
        reason=f"needs the weights: {smart_turn.REMEDY}",
    ),
]
LOST = "has no answer from its process"


async def test_call_goes_on_with_models_of_its_own_when_their_process_is_killed(
    livekit: Ports, speaker: Speaker, tmp_path: Path
) -> None:
    questions = ["What time do you open?", "Where can I park my car?"]
    clips = [await speaker.wav(question) for question in questions]
    simulation = {
        "llm": {"*": {"replies": ["We open at nine in the morning."]}},
        "stt": {"*": {"transcripts": questions}},
    }
    settings = {"PRERESPONSE_STRATEGY": "off", "WORKER_MAX_CALLS": "4"}
    async with simulated_worker(tmp_path, livekit, settings, simulation) as (ports, worker):
        turns: list[Turn] = []

        def kill_after_the_first(turn: Turn) -> None:
            turns.append(turn)
            if len(turns) == 1:
                lines = [json.loads(line) for line in worker.output().splitlines() if '"inference": true' in line]
                os.kill(lines[0]["pid"], signal.SIGKILL)

        options = CallOptions(
            url=ports.livekit_url,
            room="shared-models",
            api_key=API_KEY,
            api_secret=API_SECRET,
            utterances=[Wav(clip) for clip in clips],
            topics=[TURN_TOPIC],
            greeting_wait=0,
            connect_timeout=CALLER_TIMEOUT_S,
            agent_timeout=CALLER_TIMEOUT_S,
            reply_timeout=CALLER_TIMEOUT_S,
        )
        await call(options, kill_after_the_first)
        assert [turn.first_heard is not None for turn in turns] == [True, True]
        for model in (MiniRunner, SmartTurnRunner):
            assert f"{model.INFERENCE_METHOD} {LOST}" in worker.output()
        assert "an end-of-turn model failed" not in worker.output()
