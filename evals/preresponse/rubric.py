"""Grade what was said by what a person wrote down as fitting, never by the engine's own opinion of the turn.

| said | grade |
| --- | --- |
| a move that fits by the label | fits |
| nothing, where something may be said | fits |
| nothing, where something should be said | acceptable; odd if the answer takes longer than 2.5 s |
| nothing, where nothing should be said | fits |
| "mm-hm", where nothing should be said | acceptable |
| any other words in a half number or sentence (label: at most "mm-hm") | harmful |
| other words where nothing should be said | odd; wrong if they are warm words (welcome, greeting) |
| sympathy that does not fit | harmful |
| welcome that does not fit | harmful: thanks for nothing, or closes the call |
| greeting that does not fit | wrong |
| an acknowledgement of a statement ("Got it.", "I see.") where only a look-up fits | wrong: closes a question |
| a bare "Okay." there | odd |
| consent ("Sure.") where only a look-up fits | acceptable; odd to a yes/no question, which it seems to answer |
| a look-up phrase where only an acknowledgement fits | acceptable; odd if the label has "mm-hm" |
| a look-up phrase where only a welcome fits | wrong: the caller is done |
| an acknowledgement where only welcome, greeting or sympathy fits | acceptable |
| "let me think" for a look-up | odd: there is nothing to think about |
| "oh, let me see" for a look-up | acceptable: "oh" for nothing |
| the third time of one move in a row | odd, if it would have been better |
"""

from __future__ import annotations

import re
from enum import Enum

from evals.preresponse.labels import Turn
from evals.preresponse.moves import Said, said_by_agent

#: A caller who waits longer than this in silence wonders whether the agent is there.
LONG_SILENCE_S = 2.5
_MAX_RUN = 2
_BARE = re.compile(r"(oh |ah |hm )*(okay|ok|alright|all right|right)\W*$")
_YES_NO_QUESTION = re.compile(
    r"\b((do|does|did|is|are|was|were|will) (they|it|he|she|there|that|this|the)|(has|have) (they|it|he|she)"
    r"|(do|does|are|is) (we|you) (need|know if|accept|open)"
    r"|know (if|whether)|check (if|whether))\b"
)


class Grade(str, Enum):
    """How an annoyed caller would judge it."""

    FITS = "fits"
    ACCEPTABLE = "acceptable"
    ODD = "odd"
    WRONG = "wrong"
    HARMFUL = "harmful"


_ORDER = list(Grade)


def grade(turn: Turn, text: str | None, answer_after_s: float, run: int = 1) -> Grade:
    """Return the grade of what was said before the answer.

    Args:
        turn: The turn with its labels.
        text: What was said; ``None`` for nothing.
        answer_after_s: When the answer is expected.
        run: How many times in a row this move was made, this time included.
    """
    said = said_by_agent(text)
    found = _grade_of(turn, said, text or "", answer_after_s)
    if run > _MAX_RUN and said is not Said.NOTHING and _ORDER.index(found) < _ORDER.index(Grade.ODD):
        return Grade.ODD
    return found


def _grade_of(turn: Turn, said: Said, text: str, answer_after_s: float) -> Grade:
    if said is Said.NOTHING:
        too_long = turn.speak == "yes" and answer_after_s > LONG_SILENCE_S
        return Grade.ODD if too_long else Grade.ACCEPTABLE if turn.speak == "yes" else Grade.FITS
    if said.letter in turn.fits and turn.speak != "no":
        return _grade_of_look_up(text) if said is Said.LOOK_UP else Grade.FITS
    if said in (Said.SYMPATHY, Said.WELCOME) and said.letter not in turn.fits:
        return Grade.HARMFUL
    if said is Said.OTHER:
        return Grade.ODD
    if turn.speak == "no":
        return _grade_of_unwanted(turn, said)
    if said is Said.GREETING:
        return Grade.WRONG
    return _grade_of_other_move(turn, said, text)


def _grade_of_look_up(text: str) -> Grade:
    if re.search(r"\bthink\b", text.lower()):
        return Grade.ODD
    return Grade.ACCEPTABLE if text.lower().startswith("oh") else Grade.FITS


def _grade_of_unwanted(turn: Turn, said: Said) -> Grade:
    if said is Said.BACKCHANNEL:
        return Grade.ACCEPTABLE
    if "M" in turn.fits:
        return Grade.HARMFUL
    return Grade.WRONG if said is Said.GREETING else Grade.ODD


def _grade_of_other_move(turn: Turn, said: Said, text: str) -> Grade:
    """Return the grade of an acknowledgement or a look-up phrase where the other one fits."""
    if said is Said.LOOK_UP:
        if turn.fits & {"W"}:
            return Grade.WRONG
        return Grade.ODD if "M" in turn.fits else Grade.ACCEPTABLE
    if "L" not in turn.fits:
        return Grade.ACCEPTABLE
    if said is Said.BACKCHANNEL:
        return Grade.ODD
    if said is Said.CONSENT:
        return Grade.ODD if _YES_NO_QUESTION.search(turn.caller.lower()) else Grade.ACCEPTABLE
    return Grade.ODD if _BARE.match(text.lower()) else Grade.WRONG
