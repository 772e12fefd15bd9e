"""Raw results: a row for each session of voicebench, with its turns and with all that was said and heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.rulers.scores import Conversation, Said
from caller.report import Segment


@dataclass
class Session:
    """One session.

    Attributes:
        variant: Of voicebench: ``as shipped``, ``clock restarted``, ``corrected``.
        scenario: Its name.
        system: The voice agent.
        round: Number, from 0.
        cpu_percent: Usage of the machine.
        error: Why it failed; None if it did not.
        connect_s: From the start of voicebench's clock to the agent's track.
        rows: Turns: ``voicebench_call.TurnRow``.
        said: What the caller said, by the ruler of ``caller``.
        heard: What the agent was heard saying, by the same.
    """

    variant: str
    scenario: str
    system: str
    round: int
    cpu_percent: float
    error: str | None = None
    connect_s: float | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    heard: list[dict[str, float]] = field(default_factory=list)

    @property
    def conversation(self) -> Conversation:
        """The session as the scores see it."""
        said = [Said(**entry) for entry in self.said]
        return Conversation(said, [Segment(**entry) for entry in self.heard])


@dataclass
class Results:
    """Everything measured.

    Attributes:
        about: What ``machine.describe`` returned.
        transport_delay: Of audio from caller to agent and back, seconds.
        sessions: In their order.
    """

    about: dict[str, Any] = field(default_factory=dict)
    transport_delay: float = 0.0
    sessions: list[Session] = field(default_factory=list)

    def of(self, **wanted: Any) -> Iterator[Session]:
        """Yield the sessions without error whose fields have the wanted values."""
        for session in self.sessions:
            if session.error is None and all(getattr(session, name) == value for name, value in wanted.items()):
                yield session
