from __future__ import annotations

import time
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import ChatMessage, ConversationItemAddedEvent

from agent_worker.telemetry.record import Playout, SpeechTimestamps, TurnRecord, turn_record
from agent_worker.telemetry.recorder import TurnRecorder, speech_timestamps
from agent_worker.telemetry.trace import PRERESPONSE_EXTRA_KEY, TurnTrace


@pytest.mark.parametrize(
    ("spoken", "preresponse", "answer"),
    [
        ("Let me look. It opens at nine.", "Let me look.", "It opens at nine."),
        ("Let me", "Let me", ""),
        ("Let me look.", "Let me look.", ""),
    ],
)
def test_record_holds_only_what_was_spoken(spoken: str, preresponse: str, answer: str) -> None:
    reply = ChatMessage(
        role="assistant", content=[spoken], extra={PRERESPONSE_EXTRA_KEY: "Let me look."}, interrupted=True
    )
    record = turn_record(1, None, [reply], [], None)
    assert (record.preresponse, record.answer) == (preresponse, answer)


def test_replies_before_and_after_a_tool_call_are_one_turn() -> None:
    before = ChatMessage(role="assistant", content=["Let me look. "], extra={PRERESPONSE_EXTRA_KEY: "Let me look."})
    after = ChatMessage(role="assistant", content=["It opens at nine."])
    record = turn_record(1, ChatMessage(role="user", content=["When?"]), [before, after], [], None)
    assert (record.preresponse, record.answer, record.interrupted) == ("Let me look.", "It opens at nine.", False)


def test_instants_count_from_the_callers_last_voice() -> None:
    caller = ChatMessage(role="user", content=["When?"])
    caller.metrics.update(stopped_speaking_at=time.time() - 2, transcription_delay=0.2, end_of_turn_delay=0.4)
    instants = turn_record(1, caller, [], [], None, speech_timestamps(caller)).instants
    assert (instants.last_voice, instants.stt_final, instants.end_of_turn) == (0.0, 0.2, 0.4)


def test_time_is_the_wall_clock_at_the_callers_last_voice() -> None:
    caller = ChatMessage(role="user", content=["When?"])
    speech = SpeechTimestamps(last_voice=100.0, stt_final=100.2)
    record = turn_record(1, caller, [], [], None, speech, wall_clock_offset_s=1_790_000_000.25 - 100.0)
    assert record.time == "2026-09-21T14:13:20.250Z"
    assert turn_record(1, caller, [], [], None).time is None


def test_preresponse_interrupted_in_its_first_moment_is_no_answer() -> None:
    caller = ChatMessage(role="user", content=["When?"])
    trace = TurnTrace("phrase", outcome="spoken", source="phrase")
    speech = SpeechTimestamps(last_voice=10.0, stt_final=10.2, end_of_turn=10.4)
    record = turn_record(1, caller, [], [Playout(10.5, 10.6)], trace, speech, interrupted=True)
    assert record.preresponse_outcome == "interrupted"
    assert record.response_gap == 0.5
    assert record.answer_gap is None


def test_record_without_words_holds_no_transcript_and_no_reply() -> None:
    words = "my card number"
    caller = ChatMessage(role="user", content=[words])
    reply = ChatMessage(role="assistant", content=[words])
    assert words not in str(turn_record(1, caller, [reply], [], None).as_dict(words=False))


class Session(rtc.EventEmitter[str]):
    agent_state = "listening"
    current_agent = None

    def add(self, role: Any, text: str) -> ChatMessage:
        message = ChatMessage(role=role, content=[text])
        self.emit("conversation_item_added", ConversationItemAddedEvent(item=message))
        return message


def test_listeners_sounds_belong_to_the_turn_in_which_the_caller_goes_on() -> None:
    session: Any = Session()
    records: list[TurnRecord] = []
    recorder = TurnRecorder(session, records.append)
    session.add("assistant", "What's your phone number?")
    recorder.on_backchannel("Mm-hmm.", 0.5)
    recorder.on_backchannel("Mm-hmm.", 0.5)
    first = session.add("user", "four one five five five five")
    recorder.withdraw(first.id)
    recorder.on_backchannel("Mm-hmm.", 0.5)
    session.add("user", "four one five five five five oh one two three")
    session.add("assistant", "Thanks.")
    session.add("user", "Goodbye.")
    session.add("assistant", "Goodbye.")
    assert [record.backchannels for record in records] == [0, 3, 0]
