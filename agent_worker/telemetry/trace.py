"""The data of one turn while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

PreresponseOutcome = Literal[
    "spoken",
    "interrupted",
    "inaudible",
    "off",
    "undecided",
    "silent_kind",
    "answer_first",
    "nothing_to_say",
    "continued",
    "failed",
]
"""Result of a turn's pre-response. Of the first three, a trace only knows ``spoken``: the record tells them apart."""

OUTCOMES: Final[tuple[PreresponseOutcome, ...]] = get_args(PreresponseOutcome)
AUDIBLE_OUTCOMES: Final[tuple[PreresponseOutcome, ...]] = ("spoken", "interrupted", "inaudible")
"""Outcomes of a pre-response that was sent to the caller: they have a source."""

PRERESPONSE_EXTRA_KEY: Final = "preresponse"
"""Key of ``ChatMessage.extra`` under which a reply carries the text of its pre-response."""

FILLER_EXTRA_KEY: Final = "filler"
"""Key of ``ChatMessage.extra`` that marks a message which is nothing but a filler."""

SILENCE_QUESTION_EXTRA_KEY: Final = "silence_question"
"""Key of ``ChatMessage.extra`` that marks a question to a silent caller."""


@dataclass
class TurnTrace:
    """What the engine did in one turn, and when. Data only.

    Instants are ``time.monotonic()`` in seconds; ``None`` if the event did not happen.

    Attributes:
        strategy: Name of the strategy in force, or ``off``.
        intent: Value of the caller's ``text.intent.Intent``.
        outcome: ``spoken``, or why there was no pre-response.
        source: Origin of the pre-response, such as ``llm`` or ``phrase``.
        move: Value of the ``text.move.Move`` that the pre-response makes, if the strategy names it.
        uses_tools: Whether the main model called a tool.
        lead_segments: How many segments were sent to the voice before the answer: the pre-response and the fillers.
        fillers: What was said while a tool or the main model took long.
        fast_request: The fast model was asked.
        fast_first_token: Its first token arrived.
        fast_first_audio: The first audio of the pre-response was available.
        main_request: The main model was asked.
        main_first_token: Its first token arrived.
        main_first_audio: The first audio of the answer was available.
    """

    strategy: str = "off"
    intent: str | None = None
    outcome: PreresponseOutcome = "off"
    source: str | None = None
    move: str | None = None
    uses_tools: bool = False
    lead_segments: int = 0
    fillers: list[str] = field(default_factory=list)

    fast_request: float | None = None
    fast_first_token: float | None = None
    fast_first_audio: float | None = None
    main_request: float | None = None
    main_first_token: float | None = None
    main_first_audio: float | None = None


def monotonic_from_wall_clock(wall_clock: float) -> float:
    """Convert an instant of ``time.time()`` to ``time.monotonic()``, both in seconds, by the offset of this moment."""
    return wall_clock - time.time() + time.monotonic()
