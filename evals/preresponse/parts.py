"""Which dialogues may be trained on, which report the result, and which are kept aside."""

from __future__ import annotations

import hashlib
from typing import Final, Literal, get_args

Part = Literal["train", "test", "kept-aside"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
_REMAINDERS = 5
_KEPT_ASIDE_DIALOGUES: tuple[int, ...] = (0,)
_KEPT_ASIDE_CALLS: tuple[int, ...] = (0, 1)
_TEST = 4


def part_of(source: str, dialogue: str) -> Part:
    """Return the part of a dialogue.

    Args:
        source: ``dstc`` (the name is a number) or ``hv`` (the name is hashed).
        dialogue: Its number or name.
    """
    if source == "dstc":
        remainder, kept_aside = int(dialogue) % _REMAINDERS, _KEPT_ASIDE_DIALOGUES
    else:
        remainder = int(hashlib.sha256(dialogue.encode()).hexdigest(), 16) % _REMAINDERS
        kept_aside = _KEPT_ASIDE_CALLS
    if remainder in kept_aside:
        return "kept-aside"
    return "test" if remainder == _TEST else "train"
