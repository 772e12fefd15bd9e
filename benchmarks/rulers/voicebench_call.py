"""One session of voicebench, and what the ruler of ``caller`` reads off the same sound at the same time.

``python -m benchmarks.rulers.voicebench_call`` runs a session whose :class:`SessionPlan` is given as JSON on standard
input. It needs the dependency group ``rulers``.
"""

# mypy: disable-error-code="import-not-found, misc"
# voicebench is not in the environment that is linted; then its classes are of type Any.

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from livekit import rtc
from voicebench import audio as vb_audio
from voicebench.adapters.base import AgentAudio
from voicebench.adapters.livekit import LiveKitAdapter
from voicebench.clock import RealClock
from voicebench.metrics import TurnResult, analyze
from voicebench.runner import SessionRecord, run_session
from voicebench.scenario import parse_scenario

from agent_worker.audio.sound_edges import RECEIVED_SPEECH, find_sounds
from agent_worker.room.topics import TURN_TOPIC
from caller.agent_audio import AgentAudioMonitor
from caller.clock import Clock
from caller.report import Segment, response_start
from testbed.services import API_KEY, API_SECRET

SHIPPED, RESTARTED, CORRECTED = "as shipped", "clock restarted", "corrected"
"""Voicebench as it is; with a clock that starts when the session does; and with that, a track of the agent that cannot
lag, and ``USER_VAD``."""
USER_VAD = {"hysteresis_db": 2}
"""So the end of the caller's sound is where `caller` finds it; with 6 dB voicebench takes what lies 6 dB under its
threshold for sound, such as the release of a last consonant, up to 70 ms behind."""
_SILENCE_DBFS = -70.0
"""Below it voicebench counts no packet as audio."""


@dataclass(frozen=True)
class SessionPlan:
    """Parameters of a session.

    Attributes:
        url: The LiveKit server's.
        room: The room to create.
        agent_name: Worker that LiveKit dispatches; empty if the agent is in the room already.
        scenario: In voicebench's format.
        variant: ``SHIPPED``, ``RESTARTED`` or ``CORRECTED``.
    """

    url: str
    room: str
    agent_name: str
    scenario: dict[str, Any]
    variant: str = CORRECTED


@dataclass
class TurnRow:
    """One turn by three rulers; seconds, None for what was not heard.

    Attributes:
        turn: Its name in the scenario.
        expect: What the scenario expects: ``respond``, ``stop`` or ``ignore``.
        voicebench: What voicebench reports of it, without its texts.
        caller_gap: Caller's last audible sample to the agent's first, by the ruler of ``caller``.
        caller_stop: Caller's first audible sample to the agent's last of what it was saying.
        record_gap: The response gap of the agent's turn record, which does not include the transport delay.
        user_lag: How much later the sample that voicebench takes for the turn's last was sent than its track has it.
        user_edge: How much later ``caller`` finds the turn's last audible sample than voicebench.
        agent_lag: How much later voicebench's track of the agent has the response than it was received.
        passed: Voicebench's verdict.
    """

    turn: str
    expect: str
    voicebench: dict[str, Any] = field(default_factory=dict)
    caller_gap: float | None = None
    caller_stop: float | None = None
    record_gap: float | None = None
    user_lag: float | None = None
    user_edge: float | None = None
    agent_lag: float | None = None
    passed: bool = False


class _SessionClock(RealClock):
    """Voicebench's clock, which can be started anew."""

    def restart(self) -> None:
        self._origin = time.monotonic()

    @property
    def zero(self) -> float:
        """Its zero on the monotonic clock."""
        return float(self._origin)


class ObservedAdapter(LiveKitAdapter):
    """Voicebench's adapter, observed; and, if asked, corrected in the two places that move its tracks."""

    def __init__(self, plan: SessionPlan, clock: _SessionClock) -> None:
        super().__init__(
            url=plan.url,
            api_key=API_KEY,
            api_secret=API_SECRET,
            room=plan.room,
            agent_name=plan.agent_name or None,
        )
        self._variant = plan.variant
        self._session_clock = clock
        self._caller_clock = Clock()
        self.monitor = AgentAudioMonitor(self._caller_clock)
        self.sent_at: list[float] = []
        """For each frame of the user's track when its first sample was sent, on the monotonic clock."""
        self.records: list[dict[str, Any]] = []
        self.connect_s = 0.0

    async def connect(self) -> None:
        """Join; then observe the agent's track, and start the clock if this variant does."""
        began = time.monotonic()
        await super().connect()
        self.connect_s = time.monotonic() - began
        assert self._room is not None
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                if publication.track and publication.kind == rtc.TrackKind.KIND_AUDIO:
                    self.monitor.attach(publication.track)
        self._room.register_text_stream_handler(TURN_TOPIC, self._on_record)
        if self._variant != SHIPPED:
            self._session_clock.restart()
            self.drain()  # what was received before the session has instants of another zero

    def emit(self, event: Any) -> None:
        """Report an event of the agent; corrected, without frames of silence.

        Voicebench places each frame behind the one before. So one frame that comes late delays all that follow, unless
        frames are missing between: silence is the same on its track whether it is placed there or not.
        """
        is_audio = isinstance(event, AgentAudio)
        if not (self._variant == CORRECTED and is_audio and vb_audio.rms_dbfs(event.pcm) < _SILENCE_DBFS):
            super().emit(event)

    async def send_audio(self, pcm: Any) -> None:
        """Send a frame of the user's audio, and note when it leaves the queue of the source."""
        await super().send_audio(pcm)
        assert self._source is not None
        ahead = self._source.queued_duration - len(pcm) / self.session.sample_rate
        self.sent_at.append(time.monotonic() + ahead)

    async def close(self) -> None:
        """Leave the room."""
        await self.monitor.aclose()
        await super().close()

    def _on_record(self, reader: rtc.TextStreamReader, _identity: str) -> None:
        task = asyncio.ensure_future(self._read_record(reader))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read_record(self, reader: rtc.TextStreamReader) -> None:
        at, text = time.monotonic(), await reader.read_all()
        with contextlib.suppress(ValueError):
            self.records.append({"at": at, **json.loads(text)})

    def heard(self) -> list[Segment]:
        """Return what ``caller`` hears of the agent, on the monotonic clock."""
        zero = self._caller_clock.zero
        return [Segment(sound.start + zero, sound.end + zero) for sound in self.monitor.segments(0)]


async def _session(plan: SessionPlan) -> dict[str, Any]:
    clock = _SessionClock()
    adapter = ObservedAdapter(plan, clock)
    vad = {**plan.scenario["vad"], **({"user": USER_VAD} if plan.variant == CORRECTED else {})}
    record = await run_session(parse_scenario({**plan.scenario, "vad": vad}), adapter, clock)
    sent = [_sent(record, adapter, number) for number in range(len(record.windows))]
    said = [
        {"start": sound.start - clock.zero, "end": sound.end - clock.zero, "is_noise": window.turn.expect == "ignore"}
        for sound, window in zip(sent, record.windows, strict=True)
        if sound
    ]
    heard = [{"start": sound.start - clock.zero, "end": sound.end - clock.zero} for sound in adapter.heard()]
    rows = [asdict(row) for row in _rows(record, adapter, clock.zero)]
    return {"connect_s": adapter.connect_s, "rows": rows, "said": said, "heard": heard}


def _rows(record: SessionRecord, adapter: ObservedAdapter, zero: float) -> list[TurnRow]:
    heard = adapter.heard()
    found = []
    for number, result in enumerate(analyze(record).turns):
        row = TurnRow(result.id, result.expect, _figures(result), passed=result.passed)
        found.append(row)
        if number >= len(record.windows):
            continue
        sent = _sent(record, adapter, number)
        if sent is None:
            continue
        following = _sent(record, adapter, number + 1)
        end = following.start if following else float("inf")
        start = response_start([sound for sound in heard if sound.start < end], sent.start, sent.end)
        row.caller_gap = None if start is None else start - sent.end
        row.caller_stop = _stop(heard, sent.start)
        row.record_gap = _record_gap(adapter.records, sent.end, end)
        if result.user_offset_s is not None:
            offset = _instant(record, adapter, result.user_offset_s)
            row.user_lag = offset - zero - result.user_offset_s
            row.user_edge = sent.end - offset
            if result.response_latency_ms is not None and start is not None:
                onset = result.user_offset_s + result.response_latency_ms / 1000
                row.agent_lag = onset - (start - zero)
    return found


def _figures(result: TurnResult) -> dict[str, Any]:
    names = ("response_latency_ms", "ttfa_ms", "talk_over", "stopped", "stop_latency_ms", "false_barge_in")
    return {name: getattr(result, name) for name in (*names, "spurious_response", "trigger", "responded")}


def _sent(record: SessionRecord, adapter: ObservedAdapter, number: int) -> Segment | None:
    """Return from when to when a turn was audibly sent, on the monotonic clock, as ``caller`` finds it."""
    if number >= len(record.windows):
        return None
    rate, window = record.scenario.sample_rate, record.windows[number]
    first, last = (round(at * rate) for at in (window.start, window.end))
    samples = (np.clip(record.user_track[first:last], -1, 1) * 32767).astype(np.int16)
    sounds = find_sounds(samples, rate, RECEIVED_SPEECH)
    if not sounds:
        return None

    start, end = (_instant(record, adapter, window.start + at) for at in (sounds[0].start, sounds[-1].end))
    return Segment(start, end)


def _instant(record: SessionRecord, adapter: ObservedAdapter, seconds: float) -> float:
    """Return when a sample of the user's track was sent, on the monotonic clock."""
    rate: int = record.scenario.sample_rate
    frame: int = vb_audio.ms_to_samples(record.scenario.frame_ms, rate)
    position = round(seconds * rate)
    index = min(position // frame, len(adapter.sent_at) - 1)
    return adapter.sent_at[index] + (position - index * frame) / rate


def _stop(heard: list[Segment], first_sent: float) -> float | None:
    """Return how long what the agent was saying went on; None if it was silent."""
    return next((sound.end - first_sent for sound in heard if sound.start <= first_sent < sound.end), None)


def _record_gap(records: list[dict[str, Any]], last_sent: float, end: float) -> float | None:
    """Return the response gap of the record that was published after a turn, before the next."""
    gaps = [found.get("response_gap") for found in records if last_sent < found["at"] < end + 1.0]
    return next((gap for gap in gaps if gap is not None), None)


def main() -> None:
    """Run the session given on standard input and print its result as JSON."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages contain the caller's token
    print(json.dumps(asyncio.run(_session(SessionPlan(**json.load(sys.stdin))))))


if __name__ == "__main__":
    main()
