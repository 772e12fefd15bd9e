"""Read labelled turns: a table with tabs, whose columns its own README describes."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evals.preresponse.parts import Part, part_of


@dataclass(frozen=True)
class Turn:
    """A caller's turn, and what a person wrote down about it before any engine ran.

    Attributes:
        source: ``dstc``, ``hv`` …
        dialogue: Number or name of the dialogue.
        agent: What the agent said before.
        caller: The caller's words.
        speak: Whether something should be said: ``yes``, ``no`` or ``either``.
        fits: Letters of the moves that fit (see ``moves``).
    """

    source: str
    dialogue: str
    agent: str
    caller: str
    speak: str
    fits: frozenset[str]

    @property
    def part(self) -> Part:
        """Whether it may be trained on."""
        return part_of(self.source, self.dialogue)


def read(folder: Path, file: str = "judged.tsv") -> list[Turn]:
    """Return the labelled turns of a folder.

    Raises:
        ValueError: If a label is unknown.
    """
    with (folder / file).open(encoding="utf-8", newline="") as lines:
        return [_turn(row) for row in csv.DictReader(lines, delimiter="\t")]


def of_parts(turns: Iterable[Turn], parts: Iterable[str]) -> list[Turn]:
    """Return the turns of these parts."""
    wanted = set(parts)
    return [turn for turn in turns if turn.part in wanted]


def _turn(row: dict[str, str]) -> Turn:
    source, dialogue, _ = row["id"].split(":", 2)
    speak, fits = row["blind_should_speak"], frozenset(row["blind_what_would_fit"])
    if speak not in ("yes", "no", "either") or fits - set("LAMWGSR-"):
        raise ValueError(f"{row['id']}: unknown label {speak!r} or {row['blind_what_would_fit']!r}")
    return Turn(source, dialogue, row["context"], row["caller"], speak, fits)
