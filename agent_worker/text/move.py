"""The moves with which a reply can begin before the answer is known."""

from __future__ import annotations

from enum import Enum


class Move(str, Enum):
    """What the agent does before its answer.

    A listener's "mm-hm" in the caller's pauses is no reply: ``turn_taking`` speaks it.
    """

    NOTHING = "nothing"  #: the reply begins with the answer
    WORD = "word"  #: acknowledges an answer or a statement: "Okay.", "Got it."
    LISTEN = "listen"  #: takes in an account, good or bad: "I see."
    CONSENT = "consent"  #: takes a request up: "Sure.", "Of course."
    LOOK_UP = "look_up"  #: "Let me check."
    MOMENT = "moment"  #: the answer takes long: "One moment, please."
    SYMPATHY = "sympathy"
    WELCOME = "welcome"  #: thanks back
    GREETING = "greeting"

    __str__ = str.__str__

    @property
    def group(self) -> Move:
        """The move that a listener cannot tell from this one: the same group is not made three times running."""
        return _GROUPS.get(self, self)


_GROUPS = {Move.LISTEN: Move.WORD, Move.CONSENT: Move.WORD, Move.MOMENT: Move.LOOK_UP}
#: Moves that say something.
SPOKEN_MOVES: tuple[Move, ...] = tuple(move for move in Move if move is not Move.NOTHING)
