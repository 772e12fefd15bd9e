"""One call: what the caller hears in each turn, and what the agent reports about it.

``python -m benchmarks.latency.calls`` makes a call whose :class:`CallPlan` is given as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from agent_worker.room.topics import TURN_TOPIC
from benchmarks.harness.calls import make_call
from benchmarks.harness.clips import UTTERANCES
from benchmarks.harness.in_process import PlanError, in_process
from benchmarks.harness.simulation import ANSWER_HZ, PRERESPONSE_HZ
from benchmarks.harness.tones import Frame, tone_segments
from benchmarks.latency import tools
from benchmarks.latency.interruptions import OVER_ANSWER_AFTER_S, OverSound, heard_of
from benchmarks.latency.people import PersonTurn, judge
from benchmarks.latency.tools import ToolRun
from caller import CallReport, Recording, Segment, Turn, Wav
from caller.audio import audible_part, read_wav

_LEAD_S = 0.02
"""Audio before the first audible sample, so that the tone's onset can be seen."""
_PERSON_REPLY_TIMEOUT_S = 12.0
"""Some turns of people get no reply: the agent has given one in a pause."""
_MAX_TEXT_OFFSET_S = 0.5
"""Between a segment's text and its sound: LiveKit sends the text while the sound is played."""


@dataclass
class TurnRow:
    """One turn of one call as the caller heard it; times in seconds, None for what was not heard.

    Attributes:
        turn: Number, from 1.
        said: What the caller said.
        response_gap: Caller's last audible sample to the agent's first.
        answer_gap: Caller's last audible sample to the first of the answer.
        inter_segment_gap: Silence between what was spoken before the answer, and the answer.
        preresponse: Whether something was spoken before the answer.
        failure: Why the turn does not count.
        misheard: What the agent understood, if it differs from ``said``.
        records: The agent's turn records.
        person: How the caller, a recording of a person, was treated: a ``people.Judgement``.
        tool: What was heard while a tool worked: a ``tools.ToolTurn``.
        interruption: What was heard around a sound over the answer: an ``interruptions.Interruption``.
    """

    turn: int
    said: str
    response_gap: float | None = None
    answer_gap: float | None = None
    inter_segment_gap: float | None = None
    preresponse: bool = False
    failure: str | None = None
    misheard: str | None = None
    records: list[dict[str, Any]] = field(default_factory=list)
    person: dict[str, Any] | None = None
    tool: dict[str, Any] | None = None
    interruption: dict[str, Any] | None = None

    def as_result(self) -> dict[str, Any]:
        """Return the fields that are set."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value is not None and value is not False and value != []
        }


@dataclass
class CallResult:
    """The turns of a call, and why it failed if it did."""

    rows: list[TurnRow]
    error: str | None = None

    @classmethod
    def of(
        cls, rows: Sequence[TurnRow], error: str | None = None, utterances: Sequence[str] = UTTERANCES
    ) -> CallResult:
        """Complete the turns of a call; those that a failed call does not have are failures."""
        missing = range(len(rows), len(utterances))
        failures = [TurnRow(i + 1, utterances[i], failure=error or "no turn") for i in missing]
        return cls([*rows, *failures], error)


@dataclass(frozen=True)
class CallPlan:
    """Parameters of a call.

    Attributes:
        url: The LiveKit server's.
        room: The room to create.
        agent_name: Worker that LiveKit dispatches; empty if the agent is in the room already.
        clips: The caller's utterances, WAV files.
        settle_s: Wait in the room before the first turn.
        quiet_s: Silence that ends a reply.
        tones: Whether the agent has the simulated voice.
        people: What the caller says after the first clip, if those are recordings of people.
        sounds: With what the caller is heard over the answers to each of the clips.
        phone: Whether the caller calls by telephone.
        line_delay_s: What its line adds to the way to the agent and back.
        tool_log: File in which the agent's tool notes its runs; empty if it has none.
    """

    url: str
    room: str
    agent_name: str
    clips: Sequence[str]
    settle_s: float
    quiet_s: float
    tones: bool
    people: Sequence[PersonTurn] = ()
    sounds: Sequence[OverSound] = ()
    phone: bool = False
    line_delay_s: float = 0.0
    tool_log: str = ""

    @classmethod
    def of_json(cls, plan: dict[str, Any]) -> CallPlan:
        """Return the plan of decoded JSON."""
        people = [PersonTurn(**turn) for turn in plan["people"]]
        return cls(**{**plan, "people": people, "sounds": [OverSound(**sound) for sound in plan["sounds"]]})

    def utterances(self) -> list[Wav]:
        """Return what the caller says: the clips, each with the sound over the answer to it."""
        if not self.sounds:
            return list(map(Wav, self.clips))
        pairs = zip(self.clips, self.sounds, strict=False)
        return [it for clip, sound in pairs for it in (Wav(clip), Wav(sound.clip, OVER_ANSWER_AFTER_S))]


async def call_in_process(plan: CallPlan) -> CallResult:
    """Make a call in a process of its own, so that callers do not delay each other; cancelling stops the process."""
    try:
        answer = await in_process("benchmarks.latency.calls", asdict(plan))
    except PlanError as error:
        return CallResult.of([], str(error))
    return CallResult([TurnRow(**row) for row in answer["rows"]], answer["error"])


def main() -> None:
    """Make the call given on standard input and print its result as JSON."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages contain the caller's token
    print(json.dumps(asdict(asyncio.run(_call(CallPlan.of_json(json.load(sys.stdin)))))))


async def _call(plan: CallPlan) -> CallResult:
    recording = Recording()
    turns: list[Turn] = []
    reports: list[CallReport] = []
    error = await make_call(
        plan.url,
        plan.room,
        plan.utterances(),
        turns.append,
        agent_name=plan.agent_name,
        recording=recording,
        on_report=reports.append,
        topics=[TURN_TOPIC],
        greeting_wait=plan.settle_s,
        quiet=plan.quiet_s,
        phone=plan.phone,
        **({"reply_timeout": _PERSON_REPLY_TIMEOUT_S} if plan.people or plan.sounds else {}),
    )
    if plan.sounds:
        rows = sound_rows(turns, plan.sounds, recording)
        return CallResult.of(rows, error, [sound.name for sound in plan.sounds])
    if plan.people:
        rows = person_rows(turns[1:], plan.people, recording)
        return CallResult.of(rows, error, [turn.file for turn in plan.people])
    rows = rows_of(turns, recording if plan.tones else None, plan.line_delay_s)
    if plan.tool_log and reports:
        runs = await asyncio.to_thread(tools.runs_of, Path(plan.tool_log), plan.room, reports[0].wall_clock_start)
        set_tool_turns(rows, turns, recording, runs)
    return CallResult.of(rows, error)


def rows_of(turns: Sequence[Turn], recording: Recording | None, line_delay_s: float = 0.0) -> list[TurnRow]:
    """Return a row for each turn; ``recording`` is of the simulated voice, and None of a real one."""
    rows = []
    for number, turn in enumerate(turns):
        row = _row(number, turn)
        if recording is None:
            _set_by_transcript(row, turn)
        elif turn.first_heard is not None:
            _set_by_tones(row, turn, _reply_frames(turns, number, recording))
        if row.response_gap is None:
            row.failure = "no reply"
        elif row.answer_gap is None:
            row.failure = "no answer"
        else:
            row.response_gap += line_delay_s
            row.answer_gap += line_delay_s
        rows.append(row)
    return rows


def set_tool_turns(
    rows: Sequence[TurnRow], turns: Sequence[Turn], recording: Recording, runs: Sequence[ToolRun]
) -> None:
    """Set what was heard while the tool worked; a turn in which it did not run is a failure."""
    for number, (row, turn) in enumerate(zip(rows, turns, strict=True)):
        own = [run for run in runs if turn.first_sent <= run.called < _end_of(turns, number)]
        said, answer_start = tools.heard_before_answer(_reply_frames(turns, number, recording))
        if not own:
            row.failure = row.failure or "the tool did not run"
        elif answer_start is not None:
            row.tool = asdict(tools.judge(said, answer_start, turn.last_sent, own))


def _end_of(turns: Sequence[Turn], number: int) -> float:
    return turns[number + 1].first_sent if number + 1 < len(turns) else float("inf")


def _reply_frames(turns: Sequence[Turn], number: int, recording: Recording) -> list[Frame]:
    """Return what was heard of the reply, and of what followed until the next turn; nothing without a reply."""
    began, end = turns[number].first_heard, _end_of(turns, number)
    return [] if began is None else [frame for frame in recording.frames if began - _LEAD_S <= frame[0] < end]


def person_rows(turns: Sequence[Turn], people: Sequence[PersonTurn], recording: Recording) -> list[TurnRow]:
    """Return a row for each turn of a person."""
    rows = []
    for number, (turn, person) in enumerate(zip(turns, people, strict=False)):
        audible = audible_part(read_wav(Path(person.clip)))
        clip_start = turn.first_sent - (audible.start if audible else 0.0)
        frames = [frame for frame in recording.frames if clip_start <= frame[0] < _end_of(turns, number)]
        answers, others = (
            [Segment(sound.start - clip_start, sound.end - clip_start) for sound in tone]
            for tone in tone_segments(frames, (ANSWER_HZ, PRERESPONSE_HZ))
        )
        judged = judge([*answers, *others], person, answers)
        row = TurnRow(number + 1, person.file, judged.first_sound, records=_records(turn), person=asdict(judged))
        if judged.first_sound is None and not judged.is_harmful:
            row.failure = "no reply"
        rows.append(row)
    return rows


def sound_rows(turns: Sequence[Turn], sounds: Sequence[OverSound], recording: Recording) -> list[TurnRow]:
    """Return a row for each sound over an answer; the turns are those of a question and of the sound, in pairs."""
    rows = []
    for number, sound in enumerate(sounds[: len(turns) // 2]):
        asked, over = 2 * number, 2 * number + 1
        began, end = turns[asked].first_heard, _end_of(turns, over)
        audible = audible_part(read_wav(Path(sound.clip)))
        first_sound = turns[over].first_sent - (audible.start if audible else 0.0) + sound.start
        frames = [] if began is None else [frame for frame in recording.frames if began - _LEAD_S <= frame[0] < end]
        row = TurnRow(number + 1, sound.name)
        if (found := heard_of(sound, frames, first_sound)) is None:
            row.failure = "no answer"
        else:
            row.interruption = asdict(found)
        rows.append(row)
    return rows


def _records(turn: Turn) -> list[dict[str, Any]]:
    records = []
    for text in turn.texts:
        with contextlib.suppress(ValueError):
            records.append(json.loads(text.text))
    return records


def _row(number: int, turn: Turn) -> TurnRow:
    understood, said = turn.understood, UTTERANCES[number]
    return TurnRow(
        turn=number + 1,
        said=said,
        response_gap=turn.response_gap,
        misheard=understood if understood and understood != said else None,
        records=_records(turn),
    )


def _set_by_tones(row: TurnRow, turn: Turn, frames: Sequence[Frame]) -> None:
    """Set the gaps by the tones; ``frames`` start with the reply, after what may remain of an earlier one."""
    answer_start, preresponse_end = reply_edges(frames)
    row.preresponse = preresponse_end is not None
    if answer_start is not None:
        row.answer_gap = answer_start - turn.last_sent
        if preresponse_end is not None:
            row.inter_segment_gap = max(answer_start - preresponse_end, 0.0)


def reply_edges(frames: Sequence[Frame]) -> tuple[float | None, float | None]:
    """Return when the answer starts, and when what was spoken before it ends; None for what is not heard."""
    answers, others = tone_segments(frames, (ANSWER_HZ, PRERESPONSE_HZ))
    start = answers[0].start if answers else None
    before = [segment.end for segment in others if start is None or segment.start < start]
    return start, before[-1] if before else None


def _set_by_transcript(row: TurnRow, turn: Turn) -> None:
    """Set the gaps of a real voice: the answer is the sound that is nearest to the second segment's text."""
    if len(turn.agent_transcripts) < 2 or turn.first_heard is None:
        row.answer_gap = turn.response_gap
        return
    row.preresponse = True
    text_at = turn.agent_transcripts[1].first_at
    starts = [segment.start for segment in turn.heard if segment.start > turn.first_heard]
    nearest = min(starts, key=lambda start: abs(start - text_at), default=None)
    if nearest is None or abs(nearest - text_at) > _MAX_TEXT_OFFSET_S:
        row.answer_gap, row.inter_segment_gap = text_at - turn.last_sent, 0.0  # no audible silence between the two
        return
    row.answer_gap = nearest - turn.last_sent
    row.inter_segment_gap = nearest - max(segment.end for segment in turn.heard if segment.start < nearest)


if __name__ == "__main__":
    main()
