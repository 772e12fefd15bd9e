"""Labelled turns; ``data/README.md`` describes their files."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from re import Pattern

DATA = Path(__file__).parent / "data"
PARTS = ("tune", "validation", "heldout")


@dataclass(frozen=True)
class Turn:
    """A caller's turn with its labels.

    Attributes:
        agent: The agent's last words, if there are any.
        kinds: Labels: every fitting kind, the best first; empty if the agent should be silent.
        forbidden: Patterns that a pre-response must not match, in addition to the general ones.
        tag: The group of the turn.
    """

    id: str
    language: str
    agent: str | None
    caller: str
    kinds: tuple[str, ...]
    forbidden: tuple[Pattern[str], ...]
    tag: str

    @property
    def speak(self) -> bool:
        """Whether something should be said before the answer."""
        return bool(self.kinds)


def read(part: str, folder: Path = DATA) -> list[Turn]:
    """Return the turns of ``tune``, ``validation`` or ``heldout``."""
    lines = (folder / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_turn(json.loads(line)) for line in lines if line.strip()]


def general_forbidden(folder: Path = DATA) -> tuple[Pattern[str], ...]:
    """Return the patterns that no pre-response may match."""
    entries = json.loads((folder / "general-forbidden.json").read_text(encoding="utf-8"))
    return tuple(re.compile(entry["pattern"], re.IGNORECASE) for entry in entries)


def _turn(line: dict[str, object]) -> Turn:
    return Turn(
        id=str(line["id"]),
        language=str(line["language"]),
        agent=_last_words_of_agent(line["context"]),
        caller=str(line["caller"]),
        kinds=tuple(_texts(line["kinds"])),
        forbidden=tuple(re.compile(pattern, re.IGNORECASE) for pattern in _texts(line["forbidden"])),
        tag=_texts(line["tags"])[0],
    )


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(text) for text in value]


def _last_words_of_agent(context: object) -> str | None:
    assert isinstance(context, list)
    said: Sequence[str] = [message["text"] for message in context if message["role"] == "assistant"]
    return said[-1] if said else None
