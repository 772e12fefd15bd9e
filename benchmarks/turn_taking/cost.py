"""What an end-of-turn detector costs: CPU over a conversation, and the time that a decision takes.

The detector is the product's own, behind livekit-agents' protocol: it gets a caller's audio of whole calls frame by
frame, is asked at each silence that the voice activity detector reports, and told when the caller goes on. The
conversation runs on simulated time, so that only the detector's own work counts.
"""

from __future__ import annotations

import asyncio
import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from livekit import rtc
from livekit.agents import inference, vad
from livekit.local_inference import EOT

from agent_worker.core.compat.livekit import TurnDetectionEvent
from agent_worker.core.settings import Settings
from agent_worker.turn_taking import smart_turn
from agent_worker.turn_taking.end_of_turn import EndOfTurnDetector, FusedPolicy
from agent_worker.turn_taking.fusion import Fusion
from agent_worker.turn_taking.shared_models import AudioModel
from agent_worker.turn_taking.turn_text import TurnText
from benchmarks.turn_taking import simulated_time
from benchmarks.turn_taking.features import Activity, Silence, activity_of, silences_of
from benchmarks.turn_taking.recordings import SAMPLE_RATE, Samples, read_wav, spread

_FRAME_S = 0.02
_FRAME_SAMPLES = round(_FRAME_S * SAMPLE_RATE)
FUSED, WITHOUT_SMART_TURN, MINI = "fused", "fused without smart-turn", "v1-mini alone"
NOTHING = "nothing"


class Detector(Protocol):
    """What of livekit-agents' protocol is used here."""

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        """Take the caller's audio."""

    def on_voice_activity(self, event: vad.VADEvent) -> None:
        """Take an event of the voice activity detector."""

    def predict(self) -> asyncio.Future[TurnDetectionEvent]:
        """Begin to decide."""
        ...

    def cancel_inference(self, *, timed_out: bool = False) -> None:
        """The caller goes on."""

    def flush(self, reason: str | None = None) -> None:
        """The turn has ended."""

    async def aclose(self) -> None:
        """Stop."""


@dataclass(frozen=True)
class Conversation:
    """One party's side of a call.

    Attributes:
        name: Of the call and the party.
        samples: At 16 kHz, with the line's noise where the other party speaks.
        turns: When each turn ends, seconds, and its words.
        activity: The windows of the voice activity detector.
        silences: As it reports them.
    """

    name: str
    samples: Samples
    turns: Sequence[tuple[float, str]]
    activity: Sequence[Activity]
    silences: Sequence[Silence]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / SAMPLE_RATE


@dataclass
class Cost:
    """What a detector took.

    Attributes:
        cpu_s: CPU time of the process.
        seconds: Duration of the conversations.
        decisions_s: For each decision, the time from the audio's last frame before it to the decision.
    """

    cpu_s: float = 0.0
    seconds: float = 0.0
    decisions_s: list[float] = field(default_factory=list)

    @property
    def share(self) -> float:
        """CPU time as a share of one core."""
        return self.cpu_s / self.seconds


def conversations(folder: Path) -> list[Conversation]:
    """Return the callers' sides of the calls, put together from their turns."""
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    turns = [row for row in rows if row["set"] == "aws-turns" and row["speaker"].endswith("caller")]
    return [
        _conversation(folder, name, [row for row in turns if row["speaker"] == name])
        for name in sorted({row["speaker"] for row in turns})
    ]


def _conversation(folder: Path, name: str, rows: Sequence[dict[str, str]]) -> Conversation:
    pieces = [(float(row["source_span"].split("-")[0]), read_wav(folder / row["file"]), row) for row in rows]
    pieces.sort(key=lambda piece: piece[0])
    length = max(round(start * SAMPLE_RATE) + len(samples) for start, samples, _ in pieces)
    noise = np.concatenate(
        [samples[round((float(row["speech_end"]) + 0.1) * SAMPLE_RATE) :] for _, samples, row in pieces]
    )
    track = spread(noise, length)
    for start, samples, _ in pieces:
        first = round(start * SAMPLE_RATE)
        track[first : first + len(samples)] = samples
    turns = [(start + float(row["speech_end"]), row["transcript"]) for start, _, row in pieces]
    activity = list(activity_of(track))
    return Conversation(name, track, turns, activity, list(silences_of(activity)))


def measure(name: str, calls: Sequence[Conversation]) -> Cost:
    """Return what a detector takes for the conversations.

    Args:
        name: ``FUSED``, ``WITHOUT_SMART_TURN`` or ``MINI``.
        calls: The conversations.
    """
    cost = Cost(seconds=sum(call.seconds for call in calls))
    for call in calls:
        idle, _ = _timed(NOTHING, call)
        taken, decisions = _timed(name, call)
        cost.cpu_s += taken - idle
        cost.decisions_s += decisions
    return cost


def _timed(name: str, call: Conversation) -> tuple[float, list[float]]:
    return simulated_time.run(lambda: _attend(name, call))


async def _attend(name: str, call: Conversation) -> tuple[float, list[float]]:
    """Attend a conversation; return the CPU time, and how long each decision took."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, simulated_time.SimulatedTimeLoop)
    models: list[_Clocked] = []
    detector = _detector(name, call, models)
    await asyncio.gather(*(asyncio.to_thread(model, call.samples[:SAMPLE_RATE]) for model in models))  # they are loaded
    decisions: list[float] = []
    began = loop.time()
    pending = sorted(
        [
            *((silence.reported, True) for silence in call.silences),
            *((silence.resumed, False) for silence in call.silences if silence.resumed),
        ]
    )
    windows = list(call.activity)
    cpu_s = time.process_time()

    def on_decided(decision: asyncio.Future[TurnDetectionEvent]) -> None:
        if not decision.cancelled() and decision.result().end_of_turn_probability > 0:
            # In a real call, the time goes on while the models work.
            answered_at = max((model.asked_at + model.took_s for model in models), default=0.0)
            decisions.append(max(loop.busy_s(), answered_at - loop.time()))

    for start in range(0, len(call.samples) - _FRAME_SAMPLES + 1, _FRAME_SAMPLES):
        end_s = (start + _FRAME_SAMPLES) / SAMPLE_RATE
        await asyncio.sleep(max(0.0, began + end_s - loop.time()))
        piece = call.samples[start : start + _FRAME_SAMPLES].tobytes()
        detector.push_audio(rtc.AudioFrame(piece, SAMPLE_RATE, 1, _FRAME_SAMPLES))
        while windows and windows[0].at <= end_s:
            detector.on_voice_activity(_event(windows.pop(0)))
        while pending and pending[0][0] <= end_s:
            _, is_silence = pending.pop(0)
            if is_silence:
                detector.predict().add_done_callback(on_decided)
            else:
                detector.cancel_inference()
    taken = time.process_time() - cpu_s
    await detector.aclose()
    return taken, decisions


def _event(window: Activity) -> vad.VADEvent:
    return vad.VADEvent(
        type=vad.VADEventType.INFERENCE_DONE,
        samples_index=round(window.at * SAMPLE_RATE),
        timestamp=window.at,
        speech_duration=0.0,
        silence_duration=window.silence_s,
        probability=window.probability,
        speaking=window.speaking,
        raw_accumulated_silence=window.silence_s,
    )


def _detector(name: str, call: Conversation, models: list[_Clocked]) -> Detector:
    """Return the detector; its models are added to the list."""
    if name == NOTHING:
        return _Nothing()
    if name == MINI:
        return _Mini()
    loop = asyncio.get_running_loop()
    mini = _Clocked(EOT().predict, loop.time)
    smart = _Clocked(smart_turn.load(smart_turn.weights_path()).probability, loop.time) if name == FUSED else None
    models += [mini, smart] if smart else [mini]
    fields = Settings.model_fields
    policy = FusedPolicy(
        Fusion.load(with_smart_turn=smart is not None),
        fields["endpointing_cut_cost"].default,
        fields["endpointing_min_delay"].default,
        fields["endpointing_max_delay"].default,
        without_smart=Fusion.load(with_smart_turn=False),
    )
    words = _Words(call, loop.time)
    return EndOfTurnDetector(policy, mini=mini, smart=smart, text=words, now=loop.time).stream()


class _Clocked:
    """A model, and how long it took last."""

    def __init__(self, model: AudioModel, now: Callable[[], float]) -> None:
        self._model = model
        self._now = now
        self.asked_at = self.took_s = 0.0

    def __call__(self, samples: Samples) -> float:
        """Ask it."""
        began, self.asked_at = simulated_time.wall_clock(), self._now()
        probability = self._model(samples)
        self.took_s = simulated_time.wall_clock() - began
        return probability


class _Words(TurnText):
    """The words of the turn that a moment lies in, known as soon as they are asked for."""

    def __init__(self, call: Conversation, now: Callable[[], float]) -> None:
        super().__init__(now)
        self._call = call
        self._clock = now
        self._began = now()
        starts = [0.0, *(end for end, _ in call.turns)]
        self._turns = [(until, words) for (_, until), (_, words) in zip(pairwise(starts), call.turns, strict=True)]

    @property
    def words(self) -> str:
        """The words of the turn whose end is nearest."""
        at = self._clock() - self._began
        return min(self._turns, key=lambda turn: abs(turn[0] - at))[1]

    @property
    def is_settled(self) -> bool:
        """Always."""
        return True


class _Mini:
    """v1-mini as livekit-agents asks it."""

    def __init__(self) -> None:
        self._stream = inference.TurnDetector(version="v1-mini").stream()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def on_voice_activity(self, event: vad.VADEvent) -> None:
        pass


class _Nothing:
    """A detector that does nothing: what the frames alone cost."""

    def on_voice_activity(self, event: vad.VADEvent) -> None:
        pass

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        """Do nothing."""

    def predict(self) -> asyncio.Future[TurnDetectionEvent]:
        return asyncio.get_running_loop().create_future()

    def cancel_inference(self, *, timed_out: bool = False) -> None:
        pass

    def flush(self, reason: str | None = None) -> None:
        pass

    async def aclose(self) -> None:
        pass
