"""Calls to a scripted agent through a real LiveKit server, in real time."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from caller import CallOptions, CallReport, RoomError, Wav, call
from testbed.services import API_KEY, API_SECRET, Ports
from tests.caller.scripted_agent import ScriptedAgent

pytestmark = pytest.mark.e2e


async def _call(livekit: Ports, agent: ScriptedAgent, wav: Path, turns: int = 1, **options: Any) -> CallReport:
    room = uuid4().hex
    async with agent.joined(livekit, room):
        return await call(
            CallOptions(
                url=livekit.livekit_url,
                api_key=API_KEY,
                api_secret=API_SECRET,
                room=room,
                utterances=[Wav(wav)] * turns,
                **{"greeting_wait": 0.2} | options,
            )
        )


@pytest.mark.parametrize(("states", "turns"), [(True, 3), (False, 1)])
async def test_response_gap_agrees_with_the_delay_of_the_agent(
    livekit: Ports, hello_wav: Path, states: bool, turns: int
) -> None:
    agent = ScriptedAgent(reply_after_s=0.5, states=states)
    report = await _call(livekit, agent, hello_wav, turns)
    gaps = np.array([turn.response_gap for turn in report.turns], float)
    assert len(agent.reply_began) == turns
    # The caller's measure has the transport both ways on top; its jitter buffer may be deep for a moment on a loaded
    # machine, hence the median.
    assert np.median(gaps) >= 0.5
    for turn in report.turns:
        assert turn.last_sent - turn.first_sent == pytest.approx(0.4, abs=0.1)
        assert turn.first_heard == turn.heard[0].start


async def test_first_turn_begins_after_the_greeting(livekit: Ports, hello_wav: Path) -> None:
    report = await _call(livekit, ScriptedAgent(greeting_s=0.6), hello_wav, greeting_wait=30, quiet=0.5)
    assert report.greeting is not None
    assert report.turns[0].first_sent >= report.greeting.heard[-1].end + 0.5


async def test_barge_in_begins_over_the_reply(livekit: Ports, hello_wav: Path) -> None:
    agent = ScriptedAgent(reply_s=4.0)
    report = await _call(livekit, agent, hello_wav, turns=2, barge_in=0.5)
    first, second = report.turns
    assert first.first_heard is not None
    assert second.first_sent >= first.first_heard + 0.5
    assert (first.barge_in, second.barge_in) == (False, True)
    assert agent.interruptions == 1
    assert second.first_heard is not None
    assert second.first_heard > second.last_sent


async def test_one_utterance_alone_begins_over_the_reply(livekit: Ports, hello_wav: Path) -> None:
    agent, room = ScriptedAgent(reply_s=4.0), uuid4().hex
    async with agent.joined(livekit, room):
        report = await call(
            CallOptions(
                url=livekit.livekit_url,
                api_key=API_KEY,
                api_secret=API_SECRET,
                room=room,
                utterances=[Wav(hello_wav), Wav(hello_wav, over_reply_after=0.5), Wav(hello_wav)],
                greeting_wait=0.2,
            )
        )
    assert [turn.barge_in for turn in report.turns] == [False, True, False]
    assert agent.interruptions == 1


async def test_remote_procedure_is_called_before_the_first_utterance(livekit: Ports, hello_wav: Path) -> None:
    agent = ScriptedAgent(procedure="set_strategy")
    await _call(livekit, agent, hello_wav, procedures=[("set_strategy", "off")])
    assert agent.payloads == ["off"]


async def test_procedure_that_the_agent_does_not_have_ends_the_call(livekit: Ports, hello_wav: Path) -> None:
    with pytest.raises(RoomError, match="did not run set_strategy"):
        await _call(livekit, ScriptedAgent(), hello_wav, procedures=[("set_strategy", "off")], agent_timeout=5.0)


async def test_each_transcript_belongs_to_its_turn(livekit: Ports, hello_wav: Path) -> None:
    agent = ScriptedAgent(transcripts=True)
    report = await _call(livekit, agent, hello_wav, turns=2, topics=["test.extra"])
    for turn in report.turns:
        (understood,), (answer,) = turn.caller_transcripts, turn.agent_transcripts
        assert (understood.final, [interim.text for interim in understood.interims]) == ("Hello.", ["hel"])
        assert answer.text == "Good day."
        assert answer.first_at < answer.last_at
        assert [text.text for text in turn.texts] == ["beside"]
    assert [text.text for text in report.texts] == ["beside", "beside"]
