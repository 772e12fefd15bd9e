"""The report of a call.

All instants are seconds since the caller began to join, on one monotonic clock; `CallReport.wall_clock_start`
is that zero as unix time. As JSON, every dataclass is an object with its fields' names:

    {"room": "demo", "identity": "caller-1f", "agent": "agent-AJ_x", "wall_clock_start": 1767225600.0,
     "greeting": {"heard": [{"start": 0.9, "end": 2.1}], "agent_transcripts": [...]} or null,
     "turns": [{"said": "hello.wav", "first_sent": 3.2, "last_sent": 4.1,
                "first_heard": 5.0 or null, "response_gap": 0.9 or null, "barge_in": false,
                "heard": [{"start": 5.0, "end": 6.2}],
                "caller_transcripts": [{"segment_id": "SG_a", "final": "Hello." or null, "final_at": 4.5,
                                        "interims": [{"text": "hel", "at": 3.9}]}],
                "agent_transcripts": [{"segment_id": "SG_b", "text": "Hi!", "first_at": 5.0, "last_at": 5.4}],
                "texts": [{"topic": "my.topic", "text": "...", "at": 5.1}],
                "backchannels": [{"text": "Mm-hmm.", "seconds": 0.5, "at": 3.8}]}],
     "texts": [{"topic": "my.topic", "text": "...", "at": 5.1}]}
"""

import json
from dataclasses import asdict, dataclass, field

from agent_worker.audio.sound_edges import Sound

Segment = Sound
"""A stretch of audible sound, `start` to `end`; silences shorter than 200 ms do not end it."""


@dataclass
class Interim:
    """An interim transcript; `at` is when it arrived."""

    text: str
    at: float


@dataclass
class CallerTranscript:
    """What the agent understood of the caller: one speech-to-text segment."""

    segment_id: str
    final: str | None = None
    final_at: float | None = None
    interims: list[Interim] = field(default_factory=list)


@dataclass
class AgentTranscript:
    """One segment of the agent's own transcript; its text arrived from `first_at` to `last_at`."""

    segment_id: str
    text: str
    first_at: float
    last_at: float


@dataclass
class TopicText:
    """A text stream of a requested topic; `at` is when it was complete."""

    topic: str
    text: str
    at: float


@dataclass
class Backchannel:
    """A listener's sound of the agent, as it was announced; `at` is when the announcement arrived."""

    text: str
    seconds: float
    at: float


@dataclass
class Greeting:
    """What the agent said before the first turn."""

    heard: list[Segment]
    agent_transcripts: list[AgentTranscript]


@dataclass
class Turn:
    """One utterance and the reply to it.

    `first_heard` is the first audible sample after `last_sent`. An agent that answers too early, before
    `last_sent`, and is still audible then, has a negative `response_gap`. What remains of an earlier reply, in
    a barge-in, is in `heard` and never counts as the response. Soft backchannels, which the agent announces
    (`caller.soft_backchannels`), are in `backchannels` only.
    """

    said: str
    first_sent: float
    last_sent: float
    barge_in: bool = False
    """Whether this utterance began over the agent's reply to the one before."""
    first_heard: float | None = None
    response_gap: float | None = None
    heard: list[Segment] = field(default_factory=list)
    caller_transcripts: list[CallerTranscript] = field(default_factory=list)
    agent_transcripts: list[AgentTranscript] = field(default_factory=list)
    texts: list[TopicText] = field(default_factory=list)
    """Those of `CallReport.texts` that arrived in this turn."""
    backchannels: list[Backchannel] = field(default_factory=list)
    """The agent's listener's sounds ("mm-hm") in this turn, which are no reply."""

    @property
    def understood(self) -> str:
        """What the agent understood, as one line."""
        return " ".join(part.final.strip() for part in self.caller_transcripts if part.final)

    @property
    def answer(self) -> str:
        """The agent's own transcript of the reply, as one line."""
        return " ".join(part.text.strip() for part in self.agent_transcripts)


@dataclass
class CallReport:
    """The whole call. See the module for its JSON."""

    room: str
    identity: str
    agent: str
    wall_clock_start: float
    greeting: Greeting | None = None
    turns: list[Turn] = field(default_factory=list)
    texts: list[TopicText] = field(default_factory=list)

    def to_json(self) -> str:
        """Return the report as a JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def response_start(heard: list[Segment], first_sent: float, last_sent: float) -> float | None:
    """Return the start of the response to an utterance, None if there was none.

    It is the first segment that begins after the utterance begins and outlasts it. That leaves out the rest of an
    earlier reply, and an agent that interrupts the caller and stops again.
    """
    return next((s.start for s in heard if s.start > first_sent and s.end > last_sent), None)
