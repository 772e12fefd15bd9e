"""The turn-taking scores of tau-voice and EVA, from when caller and agent are heard.

Only definitions are taken over: tau-voice's from the documentation of tau2-bench (Sierra, its page of interaction
metrics, version 1.0), EVA's from its documentation (ServiceNow, metric ``turn_taking``, version v0.2). Both are defined
on a simulation of theirs. Here the sounds come from a call: times are exact where tau-voice counts ticks of 200 ms, and
a sound ends with 0.2 s of silence. All times are seconds.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from caller.report import Segment

_YIELD_WINDOW_S = 2.0
_NOISE_YIELD_WINDOW_S = 1.0
_NOISE_RESPONSE_WINDOW_S = 2.0

_HARD_EARLY_S, _SWEET_LOW_S = -0.5, 0.5
_SWEET_HIGH_S, _HARD_LATE_S = 2.0, 3.5
_SWEET_HIGH_TOOL_S, _HARD_LATE_TOOL_S = 3.0, 5.0
_INTERRUPTION_BEST = 0.5
_OVERLAP_HARD_S = 2.0
_HARD_COUNT = 3
_YIELD_HARD_S = 2.0
_MIN_OVERLAP_S = 0.001


@dataclass(frozen=True)
class Said:
    """Something that the caller says: a turn, pauses included; or a sound that is no turn.

    Attributes:
        start: First audible sample.
        end: Last audible sample.
        is_noise: Whether it is no turn, and the agent should go on as it was: a cough, "um" (a vocal tic).
        has_tool: Whether the agent called a tool for its reply.
    """

    start: float
    end: float
    is_noise: bool = False
    has_tool: bool = False


@dataclass(frozen=True)
class Conversation:
    """A call: what the caller said and when the agent was heard, both in order of time."""

    said: Sequence[Said]
    heard: Sequence[Segment]

    @property
    def turns(self) -> list[Said]:
        """What the caller said without what is no turn."""
        return [said for said in self.said if not said.is_noise]

    def speaking_at(self, at: float) -> Segment | None:
        """Return what the agent is saying at an instant, None if it is silent; a sound that starts then counts not."""
        return next((sound for sound in self.heard if sound.start < at < sound.end), None)


# tau-voice


@dataclass
class TauVoice:
    """The panel of tau-voice; each list has one value an event, so that several calls add up.

    Attributes:
        latencies: L_R: end of a turn to the agent's response.
        answered: R_R: for each turn at whose end the agent is silent, whether it responds before the caller speaks.
        yields: L_Y: from the start of an interruption to the agent's silence, where it yields within 2 s.
        yielded: R_Y: for each interruption whether it does.
        interruptions: I_A: how often the agent begins to speak in a turn.
        ignored: S_VT: for each sound that is no turn whether the agent went on as it was.
    """

    latencies: list[float] = field(default_factory=list)
    answered: list[bool] = field(default_factory=list)
    yields: list[float] = field(default_factory=list)
    yielded: list[bool] = field(default_factory=list)
    interruptions: int = 0
    ignored: list[bool] = field(default_factory=list)


def tau_voice(calls: Iterable[Conversation]) -> TauVoice:
    """Return the panel over several calls."""
    found = TauVoice()
    for call in calls:
        _add_responses(call, found)
        _add_interruptions(call, found)
        found.ignored += [_is_ignored(call, said) for said in call.said if said.is_noise]
    return found


def _add_responses(call: Conversation, found: TauVoice) -> None:
    turns = [turn for turn in call.turns if not call.speaking_at(turn.end)]
    for number, turn in enumerate(turns):
        response = next((sound.start for sound in call.heard if sound.start >= turn.end), None)
        following = turns[number + 1].start if number + 1 < len(turns) else None
        if response is not None and (following is None or response <= following):
            found.answered.append(True)
            found.latencies.append(response - turn.end)
        elif following is not None:
            found.answered.append(False)


def _add_interruptions(call: Conversation, found: TauVoice) -> None:
    for turn in call.turns:
        found.interruptions += sum(turn.start < sound.start < turn.end for sound in call.heard)
        if interrupted := call.speaking_at(turn.start):
            took = interrupted.end - turn.start
            found.yielded.append(took <= _YIELD_WINDOW_S)
            if found.yielded[-1]:
                found.yields.append(took)


def _is_ignored(call: Conversation, noise: Said) -> bool:
    """Return whether the agent neither stops within 1 s, nor, if it was silent, begins within 2 s."""
    if speaking := call.speaking_at(noise.start):
        return speaking.end - noise.start > _NOISE_YIELD_WINDOW_S
    return not any(noise.start <= sound.start <= noise.end + _NOISE_RESPONSE_WINDOW_S for sound in call.heard)


# EVA


@dataclass
class Eva:
    """EVA's turn-taking: a score from 0 to 1 for each turn, by what characterises the turn.

    Attributes:
        scores: Of every turn that can be evaluated.
        reasons: For each why: ``latency``, ``agent_interrupt``, ``user_interrupt`` or ``dual_interrupt``.
        early: How many were answered after less than 0.2 s.
        missed: Calls whose last turn got no reply: their turns all score 0.
    """

    scores: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    early: int = 0
    missed: int = 0

    @property
    def mean(self) -> float | None:
        """The score of all turns; None without any."""
        return statistics.fmean(self.scores) if self.scores else None


def eva(calls: Iterable[Conversation]) -> Eva:
    """Return the scores over several calls; a call in which the last turn is not answered scores 0 throughout."""
    found = Eva()
    for call in calls:
        turns = list(_eva_turns(call))
        missed = bool(call.turns) and not any(sound.start > call.turns[-1].start for sound in call.heard)
        found.missed += missed
        for score, reason, is_early in turns:
            found.scores.append(0.0 if missed else score)
            found.reasons.append(reason)
            found.early += is_early
    return found


def latency_score(latency_s: float, *, has_tool: bool = False) -> float:
    """Return what EVA gives for a latency: it rises from -0.5 to 0.5 s, is 1 up to 2 s, and is 0 again at 3.5 s."""
    high, late = (_SWEET_HIGH_TOOL_S, _HARD_LATE_TOOL_S) if has_tool else (_SWEET_HIGH_S, _HARD_LATE_S)
    rising = (latency_s - _HARD_EARLY_S) / (_SWEET_LOW_S - _HARD_EARLY_S)
    falling = (late - latency_s) / (late - high)
    return max(0.0, min(1.0, rising, falling))


def _eva_turns(call: Conversation) -> Iterator[tuple[float, str, bool]]:
    turns = call.turns
    for number, turn in enumerate(turns):
        end = turns[number + 1].start if number + 1 < len(turns) else float("inf")
        own = [sound for sound in call.heard if turn.start <= sound.start < end]
        if not own:
            continue
        overlaps = [overlap for sound in own if (overlap := _overlap(turn, sound)) > _MIN_OVERLAP_S]
        interrupted = call.speaking_at(turn.start)
        scores = [_interruption_score(turn, own, overlaps)] if overlaps else []
        if interrupted:
            scores.append(max(0.0, 1 - (interrupted.end - turn.start) / _YIELD_HARD_S))
        latency = own[0].start - turn.end
        reason = {(True, True): "dual_interrupt", (True, False): "agent_interrupt", (False, True): "user_interrupt"}
        score = min(scores) if scores else latency_score(latency, has_tool=turn.has_tool)
        yield score, reason.get((bool(overlaps), interrupted is not None), "latency"), latency < 0.2


def _overlap(turn: Said, sound: Segment) -> float:
    return min(turn.end, sound.end) - max(turn.start, sound.start)


def _interruption_score(turn: Said, own: Sequence[Segment], overlaps: Sequence[float]) -> float:
    """Return the least of what EVA gives for the overlap, for how often, and for the wait after it."""
    scores = [
        _INTERRUPTION_BEST * (1 - sum(overlaps) / _OVERLAP_HARD_S),
        _INTERRUPTION_BEST * (1 - (len(overlaps) - 1) / (_HARD_COUNT - 1)),
    ]
    settled = [sound.start for sound in own if sound.start > turn.end]
    if settled and not any(sound.start <= turn.end < sound.end for sound in own):
        scores.append(latency_score(settled[0] - turn.end, has_tool=turn.has_tool))
    return max(0.0, min(scores))
