"""An agent's claim to a room, by which one of two agents of the same name stays."""

from __future__ import annotations

from typing import NamedTuple


class DispatchClaim(NamedTuple):
    """An agent's claim to a room. Of two with the same name, the smaller one stays.

    Attributes:
        agent_name: The name that LiveKit dispatches the agent by; may be empty.
        accepted_at: When its worker accepted the job, seconds since 1970.
        identity: The agent's identity in the room; decides between two of the same moment.
    """

    agent_name: str
    accepted_at: float
    identity: str

    def text(self) -> str:
        """Return the claim as the attribute of the agent's token has it."""
        return f"{self.accepted_at:.3f} {self.agent_name}"

    @classmethod
    def parse(cls, text: str, identity: str) -> DispatchClaim | None:
        """Return the claim in an attribute; ``None`` if it has none that can be read."""
        accepted_at, _, name = text.partition(" ")
        try:
            return cls(name, float(accepted_at), identity)
        except ValueError:
            return None
