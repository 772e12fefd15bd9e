"""Tell an agent's soft backchannels from its replies.

A listener's sound ("mm-hm") leaves the floor with the caller: it is no reply, and no part of one. An agent of
``agent_worker`` tells its caller of each by a text stream when it begins, with its text and length. The sound and the
message travel apart, so the sound is looked for around the arrival of the message:

- The message is there first, as a rule: the sound has to pass the encoder, the network and our jitter buffer, which is
  0.05 to 0.2 s deep and deeper for a moment when packets come late (`MAX_LATE_S`).
- The message comes second when a packet of it is lost and sent again, which takes a round trip (`MAX_EARLY_S`).

The first sound that begins in that time is the backchannel, with what follows it within its length; a jitter buffer
stretches sounds (`STRETCH_S`). A sound that is longer is speech, and is kept: the backchannel was stopped before it was
heard, or is too soft. The reply to a caller who is silent cannot begin within the margins, because the agent makes no
backchannel within a second before the turn may end (`agent_worker.turn_taking.soft_backchannel`).
"""

from collections.abc import Sequence
from typing import Protocol

from caller.report import Backchannel, Segment

MAX_EARLY_S = 0.3
MAX_LATE_S = 1.0
STRETCH_S = 0.2


class Audio(Protocol):
    """What is heard of the agent: `caller.agent_audio.AgentAudioMonitor`."""

    def segments(self, since: float) -> list[Segment]:
        """Return what has been audible after `since`."""


class Announcements(Protocol):
    """What the agent tells: `caller.transcripts.Transcripts`."""

    backchannels: list[Backchannel]


class SpeechAudio:
    """What is heard of the agent without its soft backchannels."""

    def __init__(self, audio: Audio, announced: Announcements) -> None:
        self._audio = audio
        self._announced = announced

    @property
    def last_audible(self) -> float:
        """The end of the last audible segment, 0 if there was none."""
        return max((segment.end for segment in self.segments(0)), default=0.0)

    def segments(self, since: float) -> list[Segment]:
        """Return what has been audible after `since`, without the part before it."""
        speech = without_backchannels(self._audio.segments(0), self._announced.backchannels)
        return [Segment(max(s.start, since), s.end) for s in speech if s.end > since]


def without_backchannels(heard: Sequence[Segment], backchannels: Sequence[Backchannel]) -> list[Segment]:
    """Return the segments, in order of time, that remain without those backchannels."""
    speech = list(heard)
    for backchannel in backchannels:
        earliest, latest = backchannel.at - MAX_EARLY_S, backchannel.at + MAX_LATE_S
        start = next((s.start for s in speech if earliest <= s.start <= latest), None)
        if start is not None:
            end = start + backchannel.seconds + STRETCH_S
            speech = [s for s in speech if s.start < start or s.end > end]
    return speech
