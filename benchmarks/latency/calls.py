"""What does one call measure?"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from livekit import api

from agent_worker.room.topics import TURN_TOPIC
from benchmarks.latency.speech import UTTERANCES
from benchmarks.latency.tones import Frame, hear_tones
from caller import CallError, CallOptions, Recording, Turn, Wav, call
from testbed.services import API_KEY, API_SECRET

_LEAD = 0.02
"""Seconds of sound before the first that is audible, for an onset to be seen as one."""
_NEAREST = 0.5
"""Seconds between a segment's text and its sound. LiveKit sends the text as the sound is played."""


@dataclass
class TurnRow:
    """One turn of one call, as the caller heard it. Seconds; None for what was not heard."""

    turn: int
    said: str
    response_gap: float | None = None
    """Caller's last audible sample to the agent's first."""
    answer_gap: float | None = None
    """Caller's last audible sample to the first of the answer."""
    seam: float | None = None
    """Silence between what was spoken before the answer and the answer."""
    preresponse: bool = False
    failure: str | None = None
    misheard: str | None = None
    """What the agent understood, where that is not what was said."""
    records: list[dict[str, Any]] = field(default_factory=list)
    """What the agent itself reported of the turn."""


@dataclass
class CallResult:
    rows: list[TurnRow]
    error: str | None = None

    @classmethod
    def of(cls, rows: Sequence[TurnRow], error: str | None = None) -> CallResult:
        """A call that fails has a row for each turn all the same."""
        missing = range(len(rows), len(UTTERANCES))
        failures = [TurnRow(i + 1, UTTERANCES[i], failure=error or "no turn") for i in missing]
        return cls([*rows, *failures], error)


@dataclass(frozen=True)
class CallPlan:
    """Where to call and whom.

    Attributes:
        agent_name: Of the worker to dispatch; empty where the agent is in the room already.
        settle: Seconds to wait in the room before the first turn.
        quiet: Seconds of silence that end a reply.
        tones: Whether the voices are the simulated ones.
    """

    url: str
    room: str
    agent_name: str
    clips: Sequence[str]
    settle: float
    quiet: float
    tones: bool


async def hold_call(plan: CallPlan) -> CallResult:
    """Say every utterance and listen."""
    recording = Recording()
    turns: list[Turn] = []
    options = CallOptions(
        url=plan.url,
        token=room_token(plan.room, "caller", plan.agent_name),
        utterances=[Wav(path) for path in plan.clips],
        topics=[TURN_TOPIC],
        greeting_wait=plan.settle,
        quiet=plan.quiet,
    )
    error = None
    try:
        await call(options, turns.append, recording)
    except CallError as failed:
        error = str(failed)
    return CallResult.of(rows_of(turns, recording if plan.tones else None), error)


def room_token(room: str, identity: str, agent_name: str = "") -> str:
    """Lets a participant in, and has LiveKit dispatch the agent, if there is one, as the room is made."""
    token = api.AccessToken(API_KEY, API_SECRET).with_identity(identity).with_ttl(timedelta(hours=1))
    token = token.with_grants(api.VideoGrants(room_join=True, room=room))
    if agent_name:
        dispatch = api.RoomAgentDispatch(agent_name=agent_name)
        token = token.with_room_config(api.RoomConfiguration(agents=[dispatch]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the development server's secret is short
        return token.to_jwt()


def rows_of(turns: Sequence[Turn], recording: Recording | None) -> list[TurnRow]:
    """``recording`` has the simulated voices, which speak in tones; without it they are real ones."""
    rows = []
    for number, turn in enumerate(turns):
        row = _row(number, turn)
        if recording is None:
            _by_transcript(row, turn)
        elif turn.first_heard is not None:
            after = turns[number + 1].first_sent if number + 1 < len(turns) else float("inf")
            _by_tone(row, turn, [frame for frame in recording.frames if turn.first_heard - _LEAD <= frame[0] < after])
        row.failure = _failure(row)
        rows.append(row)
    return rows


def _row(number: int, turn: Turn) -> TurnRow:
    records = []
    for text in turn.texts:
        with contextlib.suppress(ValueError):
            records.append(json.loads(text.text))
    understood = turn.understood
    said = UTTERANCES[number]
    return TurnRow(
        turn=number + 1,
        said=said,
        response_gap=turn.response_gap,
        misheard=understood if understood and understood != said else None,
        records=records,
    )


def _by_tone(row: TurnRow, turn: Turn, frames: Sequence[Frame]) -> None:
    """``frames`` begin with the reply, and not with what may have remained of an earlier one."""
    heard = hear_tones(frames)
    row.answer_gap = None if heard.answer_start is None else heard.answer_start - turn.last_sent
    row.seam = heard.seam
    row.preresponse = heard.preresponse_end is not None


def _by_transcript(row: TurnRow, turn: Turn) -> None:
    """Where the voice is a real one: the second segment's text arrives as its sound does."""
    if len(turn.agent_transcripts) < 2 or turn.first_heard is None:
        row.answer_gap = turn.response_gap
        return
    row.preresponse = True
    text_at = turn.agent_transcripts[1].first_at
    starts = [stretch.start for stretch in turn.heard if stretch.start > turn.first_heard]
    nearest = min(starts, key=lambda start: abs(start - text_at), default=None)
    if nearest is None or abs(nearest - text_at) > _NEAREST:
        row.answer_gap, row.seam = text_at - turn.last_sent, 0.0  # no silence that could be heard between the two
        return
    row.answer_gap = nearest - turn.last_sent
    row.seam = nearest - max(stretch.end for stretch in turn.heard if stretch.start < nearest)


def _failure(row: TurnRow) -> str | None:
    if row.response_gap is None:
        return "no reply"
    return "no answer" if row.answer_gap is None else None


def as_json(row: TurnRow) -> dict[str, Any]:
    """Without what is empty, and to the tenth of a millisecond."""
    return {
        name: _rounded(value)
        for name, value in asdict(row).items()
        if value is not None and value is not False and value != []
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
