"""The intents that the engine distinguishes."""

from __future__ import annotations

from enum import Enum


class Intent(str, Enum):
    """What the caller's words are, as far as a pre-response depends on it."""

    QUESTION = "question"
    REQUEST = "request"
    PROBLEM = "problem"  #: trouble, complaint, anger, bad or sad news
    STORY = "story"  #: an account or news without a question
    CORRECTION = "correction"
    THANKS = "thanks"
    GREETING = "greeting"
    YES_NO = "yes_no"  #: answers the agent with yes, no or a short fact
    UNCLEAR = "unclear"
    GOODBYE = "goodbye"
    BACKCHANNEL = "backchannel"
    HOLD = "hold"  #: asks to wait, to stop or to be quiet
    UNFINISHED = "unfinished"
    SIDE_TALK = "side_talk"  #: to another person in the room
    NOISE = "noise"

    __str__ = str.__str__

    @property
    def suppresses_preresponse(self) -> bool:
        """Whether the agent says nothing before its answer."""
        return self in _SUPPRESSING


_SUPPRESSING = frozenset(
    {Intent.GOODBYE, Intent.BACKCHANNEL, Intent.HOLD, Intent.UNFINISHED, Intent.SIDE_TALK, Intent.NOISE}
)
#: The intent of words that cannot be classified: the phrases for it fit everything.
FALLBACK = Intent.UNCLEAR
