from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from caller import CallOptions, CallReport, Wav, call
from tests.caller.conftest import LiveKitServer
from tests.caller.peer import Peer

pytestmark = pytest.mark.e2e  # they talk in real time: no core is to be taken from them


async def _call(server: LiveKitServer, peer: Peer, wav: Path, turns: int = 1, **options: Any) -> CallReport:
    room = uuid4().hex
    async with peer.joined(server, room):
        return await call(
            CallOptions(
                url=server.url,
                api_key=server.api_key,
                api_secret=server.api_secret,
                room=room,
                utterances=[Wav(wav)] * turns,
                **{"greeting_wait": 0.2} | options,
            )
        )


@pytest.mark.parametrize("states", [True, False])
async def test_gap_agrees_with_the_agents_own(livekit_server: LiveKitServer, hello_wav: Path, states: bool) -> None:
    """The agent's delay is known; what the caller measures has the way there and back on top."""
    peer = Peer(reply_after=0.5, states=states)
    report = await _call(livekit_server, peer, hello_wav, turns=3)
    gaps = np.array([turn.response_gap for turn in report.turns], float)
    print("gap - 0.5 s, in ms:", np.round((gaps - 0.5) * 1000, 1))
    assert len(peer.reply_began) == 3
    # A loaded machine's jitter buffers may be deep for a moment: the middle one counts.
    assert 0 <= np.median(gaps - 0.5) < 0.5
    for turn in report.turns:
        assert turn.last_sent - turn.first_sent == pytest.approx(0.8, abs=0.1)


async def test_greeting_is_heard_out_before_the_first_turn(livekit_server: LiveKitServer, hello_wav: Path) -> None:
    report = await _call(livekit_server, Peer(greeting=1.0), hello_wav, greeting_wait=10)
    assert report.greeting is not None
    assert report.turns[0].first_sent >= report.greeting.heard[-1].end + 1.0


async def test_pause_inside_a_reply_does_not_end_it(livekit_server: LiveKitServer, hello_wav: Path) -> None:
    report = await _call(livekit_server, Peer(replies=(0.4, 0.4), pause=0.5), hello_wav)
    first, second = report.turns[0].heard
    assert second.start - first.end == pytest.approx(0.5, abs=0.3)
    assert report.turns[0].first_heard == first.start


async def test_barge_in_begins_over_the_reply(livekit_server: LiveKitServer, hello_wav: Path) -> None:
    peer = Peer(replies=(4.0,))
    report = await _call(livekit_server, peer, hello_wav, turns=2, barge_in=0.5)
    first, second = report.turns
    assert first.first_heard is not None
    assert second.first_sent < first.first_heard + 2.0
    assert (first.barge_in, second.barge_in) == (False, True)
    assert peer.interrupted == 1
    assert second.first_heard is not None
    assert second.first_heard > second.last_sent


async def test_each_transcript_goes_to_its_turn(livekit_server: LiveKitServer, hello_wav: Path) -> None:
    report = await _call(livekit_server, Peer(transcripts=True), hello_wav, turns=2, topics=["test.extra"])
    for turn in report.turns:
        (heard,), (answer,) = turn.caller_transcripts, turn.agent_transcripts
        assert (heard.final, [interim.text for interim in heard.interims]) == ("Hello.", ["hel"])
        assert answer.text == "Good day."
        assert answer.first_at < answer.last_at
        assert [text.text for text in turn.texts] == ["beside"]
    assert [text.text for text in report.texts] == ["beside", "beside"]
