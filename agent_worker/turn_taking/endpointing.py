"""Configure when livekit-agents takes the caller's turn to have ended, and what interrupts the agent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from livekit import local_inference
from livekit.agents import NOT_GIVEN, TurnHandlingOptions, inference
from livekit.agents.utils.hw import get_cpu_monitor
from livekit.agents.voice import room_io

from agent_worker.core.settings import BadSettingsError, Settings
from agent_worker.turn_taking import shared_models, smart_turn
from agent_worker.turn_taking.audio_models import Asked
from agent_worker.turn_taking.end_of_turn import CHECKPOINTS_S, EndOfTurnDetector, FusedPolicy, ThresholdPolicy
from agent_worker.turn_taking.fusion import Fusion
from agent_worker.turn_taking.shared_models import MiniRunner, SmartTurnRunner

#: The network's packets have 20 ms. With that the end of the caller's voice would be heard 5 ms earlier on average,
#: with the default of 50 ms 10 ms later; each frame costs a turn of the event loop in each part that hears the caller.
#: 16 kHz is the rate of the voice activity detector, the turn detector and the recogniser: each would resample every
#: frame of the default, 24 kHz. Pre-connect audio, which is on by default, takes a byte stream from every participant
#: and lets FFmpeg guess its format: an SDP file in it opens sockets and threads.
AUDIO_INPUT = room_io.AudioInputOptions(sample_rate=16_000, frame_size_ms=30, pre_connect_audio=False)

_NEVER_S = 86_400.0


#: smart-turn's own.
_SMART_TURN_THRESHOLD = 0.5

TurnDetection = EndOfTurnDetector | inference.TurnDetector | Literal["stt"]


def turn_handling(settings: Settings, detection: TurnDetection) -> TurnHandlingOptions:
    """Return the session's turn handling. docs/benchmarks/endpointing.md shows what the delays cost and bring."""
    return {
        "turn_detection": detection,
        "endpointing": {"min_delay": settings.endpointing_min_delay, "max_delay": settings.endpointing_max_delay},
        # The floor decides which sounds silence the agent; livekit-agents ends its speech for words that reach it.
        "interruption": {"mode": "vad", "min_duration": _NEVER_S},
        # The answer may be requested and synthesised before the end of the turn is certain; its audio waits for it.
        "preemptive_generation": {"enabled": True, "preemptive_tts": True},
    }


def turn_detection(settings: Settings) -> TurnDetection:
    """Return the detector that TURN_DETECTOR names, for one call."""
    name = settings.turn_detector
    if name == "stt":
        return "stt"
    if name in ("livekit-mini", "livekit-cloud"):
        # v1-mini runs in this process: livekit-agents' default needs a LiveKit Cloud account.
        return inference.TurnDetector(
            version="v1-mini" if name == "livekit-mini" else "v1",
            unlikely_threshold=settings.endpointing_threshold or NOT_GIVEN,
        )
    smart = _smart_turn(settings)
    delays = settings.endpointing_min_delay, settings.endpointing_max_delay
    if name == "smart-turn":
        threshold = settings.endpointing_threshold or _SMART_TURN_THRESHOLD
        return EndOfTurnDetector(
            ThresholdPolicy(threshold, *delays), smart=smart, waits_for_text=False, checkpoints_s=CHECKPOINTS_S[:1]
        )
    fusion = Fusion.load(with_smart_turn=smart is not None)
    return EndOfTurnDetector(
        FusedPolicy(fusion, settings.endpointing_cut_cost, *delays, without_smart=Fusion.load(with_smart_turn=False)),
        mini=_mini(),
        smart=smart,
    )


def load_models(settings: Settings) -> None:
    """Load the models that :func:`turn_detection` needs here, once in a process. Blocks for some 0.5 s."""
    if settings.turn_detector in ("fused", "livekit-mini"):
        local_inference.EOT()  # without cost where the process is forked
    if settings.turn_detector in ("fused", "smart-turn") and not shared_models.is_shared():
        _smart_turn(settings)


def share_models(settings: Settings, deciders: Deciders) -> None:
    """Let the worker that starts after this run the models for all its calls, if smart-turn is one of them.

    Args:
        settings: Those that were checked.
        deciders: What :func:`check_turn_detector` found for them.
    """
    shared_models.share_nothing()
    if settings.turn_detector in ("fused", "smart-turn") and deciders.missing is None:
        shared_models.share(_path(settings), settings.worker_max_calls, get_cpu_monitor().cpu_count())


@dataclass(frozen=True)
class Deciders:
    """What decides the end of the turn on this machine.

    Attributes:
        names: For people.
        missing: Why smart-turn takes no part in ``fused``, and the remedy; None if nothing is missing.
    """

    names: str
    missing: str | None = None

    def __str__(self) -> str:
        """Return both in one line."""
        return f"{self.names} (without smart-turn: {self.missing})" if self.missing else self.names


_DECIDERS = {
    "livekit-mini": Deciders("v1-mini"),
    "livekit-cloud": Deciders("LiveKit Cloud's model"),
    "smart-turn": Deciders("smart-turn v3.2"),
    "stt": Deciders("the recogniser"),
    "fused": Deciders("v1-mini, smart-turn v3.2, the words and the silence"),
}


def check_turn_detector(settings: Settings) -> Deciders:
    """Check the weights that TURN_DETECTOR needs, and return what decides with those that are there.

    Raises:
        BadSettingsError: If smart-turn is asked for and cannot be loaded.
    """
    if settings.turn_detector == "smart-turn" or (settings.turn_detector == "fused" and settings.smart_turn_path):
        try:
            smart_turn.check(_path(settings))
        except smart_turn.SmartTurnMissingError as error:
            raise BadSettingsError([f"TURN_DETECTOR={settings.turn_detector}: {error}"]) from error
    elif settings.turn_detector == "fused":
        try:
            smart_turn.check(_path(settings))
        except smart_turn.SmartTurnMissingError as error:
            return Deciders("v1-mini, the words and the silence", str(error))
    return _DECIDERS[settings.turn_detector]


def _mini() -> Asked:
    return (
        shared_models.of_this_call(MiniRunner, lambda: local_inference.EOT().predict) or local_inference.EOT().predict
    )


def _path(settings: Settings) -> Path:
    return settings.smart_turn_path or smart_turn.weights_path()


def _smart_turn(settings: Settings) -> Asked | None:
    """Return smart-turn, None without its weights."""
    path = _path(settings)
    if shared := shared_models.of_this_call(SmartTurnRunner, lambda: smart_turn.load(path).probability):
        return shared
    try:
        return smart_turn.load(path).probability
    except smart_turn.SmartTurnMissingError:
        return None
