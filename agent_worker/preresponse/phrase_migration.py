"""Translate a file of phrases whose headings are the caller's intents, as before moves were its headings."""

from __future__ import annotations

from collections.abc import Mapping

from agent_worker.text import guard
from agent_worker.text.move import Move

_LOOK_UPS = (Move.MOMENT, Move.LOOK_UP)
_WORDS = (Move.WORD, Move.LISTEN)
#: The moves that the phrases of an old heading can make, the first that fits wins.
_MOVES_OF: dict[str, tuple[Move, ...]] = {
    "question": _LOOK_UPS,
    "request": (*_LOOK_UPS, Move.CONSENT),
    "unclear": _LOOK_UPS,
    "problem": (Move.SYMPATHY,),
    "perhaps_problem": (Move.LISTEN, *_LOOK_UPS),
    "story": (Move.LISTEN, Move.WORD),
    "correction": (*_WORDS, *_LOOK_UPS),
    "yes_no": (*_WORDS, *_LOOK_UPS),
    "thanks": (Move.WELCOME,),
}


def is_old(found: Mapping[object, object]) -> bool:
    """Whether a file has a heading that only the old format has. ``greeting`` is the same in both."""
    return any(name in _MOVES_OF for name in found)


def migrated(found: Mapping[object, object], language: str) -> dict[object, object]:
    """Return the phrases by move. A phrase that makes no move of its heading stays with the first, to be reported.

    Args:
        found: What the file holds. Headings that are neither old nor new stay as they are.
        language: Language tag of the phrases.
    """
    lists: dict[object, object] = {}
    for name, phrases in found.items():
        moves = _MOVES_OF.get(str(name))
        if moves is None or not isinstance(phrases, list):
            lists[moves[0].value if moves else name] = phrases
            continue
        for phrase in phrases:
            of_move = lists.setdefault(_move_of(phrase, moves, language).value, [])
            if isinstance(of_move, list) and phrase not in of_move:
                of_move.append(phrase)
    return lists


def _move_of(phrase: object, moves: tuple[Move, ...], language: str) -> Move:
    if isinstance(phrase, str):
        for move in moves:
            if guard.problem_with(phrase, said="", language=language, recent=(), move=move) is None:
                return move
    return moves[0]
