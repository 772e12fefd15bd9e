"""Callers who interrupt, cough, pause and go on, on a real LiveKit server and a real worker.

One worker serves all calls. The models are simulated: each call says what the recogniser hears, and when.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from agent_worker.room.topics import SET_STRATEGY, TURN_TOPIC
from caller import CallOptions, CallReport, Wav, call
from testbed.services import API_KEY, API_SECRET, CALLER_TIMEOUT_S, ROOT, Ports
from testbed.speech import Speaker
from tests.e2e.chat import simulated_worker
from tests.e2e.spoken import Piece, Spoken, speak

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

#: Several, because none is said twice in a row.
PRERESPONSES = ["Let me look into that for you.", "One moment, I will check that.", "I see, let me find that out."]
ANSWER = " ".join(f"This is sentence number {number} of a long story about trains." for number in range(1, 5))
#: livekit-agents mutes the recogniser in the first 3 s of the agent's speech in a call.
AFTER_ECHO_WARM_UP_S = 4.0
SETTINGS = {
    "PRERESPONSE_STRATEGY": "llm",
    # A slow machine may be late with the second half of what the caller says.
    "TOOL_DELAY": "8",
    "ENDPOINTING_DICTATION_DELAY": "6",
    "FILLER_DELAY": "0",  # the pre-response alone is looked at
}


@dataclass
class Stage:
    """A worker, and where its tool writes."""

    ports: Ports
    folder: Path
    speaker: Speaker
    tool_log: Path

    async def speak(self, *pieces: str | Piece, **script: Any) -> Spoken:
        whole = [Piece(piece) if isinstance(piece, str) else piece for piece in pieces]
        return await speak(self.speaker, self.folder, whole, **script)

    async def call(
        self,
        room: str,
        clips: Sequence[tuple[Spoken, float | None]],
        llm: dict[str, Any],
        *,
        preresponses: bool = False,
    ) -> CallReport:
        """Say each clip: after the reply to the one before, or over it once it has been heard for so many seconds."""
        config = {"llm": llm, "stt": {"*": {"final_ms": 50, "utterances": [spoken.script for spoken, _ in clips]}}}
        url = self.ports.models_url.removesuffix("/v1") + "/simulated/config"
        async with aiohttp.ClientSession(raise_for_status=True) as http, http.put(url, json=config):
            pass
        return await call(
            CallOptions(
                url=self.ports.livekit_url,
                room=f"turn-taking-{room}",
                api_key=API_KEY,
                api_secret=API_SECRET,
                utterances=[Wav(spoken.path, over_reply_after=over_s) for spoken, over_s in clips],
                topics=[TURN_TOPIC],
                procedures=[] if preresponses else [(SET_STRATEGY, "off")],
                greeting_wait=0,
                quiet=3.0,  # a record may come a while after the last sound
                connect_timeout=CALLER_TIMEOUT_S,
                agent_timeout=CALLER_TIMEOUT_S,
                reply_timeout=CALLER_TIMEOUT_S,
            )
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(livekit: Ports, speaker: Speaker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("turn-taking")
    settings = {**SETTINGS, "TOOL_LOG": str(folder / "tool.log"), "PYTHONPATH": str(ROOT)}
    script = "tests/e2e/booking_worker.py"
    async with simulated_worker(folder, livekit, settings, script=script) as (ports, _):
        yield Stage(ports, folder, speaker, folder / "tool.log")


def turns_of(report: CallReport) -> list[dict[str, Any]]:
    """Return the records of the caller's turns."""
    records = [json.loads(text.text) for text in report.texts]
    return [record for record in records if record["caller"]]


async def test_agent_is_silent_until_the_late_words_of_an_interruption_and_answers_them(stage: Stage) -> None:
    question = await stage.speak("Tell me the history of trains.")
    interruption = await stage.speak("Stop, I wanted to hear about the zoo.", final_ms=3000)
    clips = [(question, None), (interruption, AFTER_ECHO_WARM_UP_S)]
    report = await stage.call("late-words", clips, {"*": {"ttft_ms": 300, "replies": [ANSWER]}})
    interrupted, answered = turns_of(report)
    assert interrupted["interrupted"]
    assert 0 < len(interrupted["answer"]) < len(ANSWER)
    assert answered["caller"] == "Stop, I wanted to hear about the zoo."
    assert answered["answer"] == ANSWER
    turn = report.turns[1]
    (words_at,) = [transcript.final_at for transcript in turn.caller_transcripts if transcript.final]
    assert words_at is not None
    # In the last of the 3 s that the words take: on a slow machine the voice stops late, and in pieces.
    assert not [sound for sound in turn.heard if sound.start < words_at and sound.end > words_at - 1]


async def test_sounds_without_words_are_no_turn_and_cost_no_word_of_the_answer(stage: Stage) -> None:
    coughs = [Piece("Ah! Ah!", words="", at_most_s=0.4, pause_s=1.2)] * 3
    invented = [
        Piece("Oh, well, hm.", words="[BLANK_AUDIO]", at_most_s=0.9, pause_s=3.0),
        Piece("Oh, well, hm.", words="Thanks for watching!", at_most_s=1.1, pause_s=3.0),
    ]
    question = await stage.speak(*coughs, *invented, "When does the museum open?")
    clips = [(question, None), (await stage.speak(*coughs), AFTER_ECHO_WARM_UP_S)]
    report = await stage.call("wordless", clips, {"*": {"ttft_ms": 300, "replies": [ANSWER]}})
    (answered,) = turns_of(report)
    assert answered["caller"] == "When does the museum open?"
    assert answered["answer"] == ANSWER
    assert not answered["interrupted"]
    first = report.turns[0]
    assert first.first_heard == first.heard[0].start  # nothing before the question, no apology either


async def test_utterance_in_two_finals_is_one_turn_whose_tool_runs_once(stage: Stage) -> None:
    spoken = await stage.speak(Piece("Yes, why", pause_s=0.4), "not?")
    llm = {"*": {"ttft_ms": 50, "calls_tool": True, "replies": ["It is booked."]}}
    report = await stage.call("tool", [(spoken, None)], llm)
    (booked,) = turns_of(report)
    assert booked["caller"] == "Yes, why not?"
    assert booked["answer"] == "It is booked."
    assert stage.tool_log.read_text() == "booked\n"


async def test_number_dictated_in_groups_is_one_turn_without_a_word_in_its_pauses(stage: Stage) -> None:
    request = await stage.speak("I would like to change my number.")
    number = await stage.speak(
        Piece("four one five", pause_s=1.1), Piece("five five five", pause_s=0.9), "oh one two three"
    )
    question = "What is your phone number?"
    llm = {
        "llama-3.1-8b-instant": {"ttft_ms": 50, "replies": ["Got it."]},
        "*": {"ttft_ms": 300, "replies": [question]},
    }
    report = await stage.call("dictation", [(request, None), (number, None)], llm, preresponses=True)
    asked, dictated = turns_of(report)
    assert asked["answer"] == question
    assert dictated["caller"] == "four one five five five five oh one two three"
    assert not dictated["interrupted"]
    assert report.turns[1].answer == " ".join(filter(None, [dictated["preresponse"], dictated["answer"]]))


async def test_caller_who_goes_on_after_the_pre_response_gets_one_answer_to_all_of_it(stage: Stage) -> None:
    greeting = await stage.speak("Tell me the history of trains.")
    request = await stage.speak("Can you tell me when the museum opens?")
    rest = await stage.speak("And how much are the tickets?")
    llm = {
        "llama-3.1-8b-instant": {"ttft_ms": 50, "replies": PRERESPONSES},
        "*": {"ttft_ms": 6000, "replies": ["At nine."]},
    }
    clips = [(greeting, None), (request, None), (rest, 0.3)]
    report = await stage.call("goes-on", clips, llm, preresponses=True)
    first, joined = turns_of(report)
    assert first["preresponse"] in PRERESPONSES
    assert joined["caller"] == "Can you tell me when the museum opens? And how much are the tickets?"
    assert joined["answer"] == "At nine."
    assert joined["preresponse_outcome"] == "continued"
    assert not joined["interrupted"]
