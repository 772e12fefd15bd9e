"""Read the dialogues of DSTC10 track 2 (``logs.json``) and of HarperValley (``transcript/*.json``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from evals.preresponse.parts import Part, part_of

_ANNOTATION = re.compile(r"\[[^\]]*\]|<[^>]*>")


@dataclass(frozen=True)
class Exchange:
    """A caller's turn between two turns of the human agent.

    Attributes:
        agent: What the agent said before; empty at the beginning.
        caller: The caller's words.
        reply: What the human agent replied; empty if the dialogue ends here.
    """

    agent: str
    caller: str
    reply: str


@dataclass(frozen=True)
class Dialogue:
    """A dialogue of two people.

    Attributes:
        source: ``dstc`` or ``hv``.
        name: Its number (DSTC10, in the order of the file) or its name (HarperValley).
        exchanges: Its turns in order.
    """

    source: str
    name: str
    exchanges: tuple[Exchange, ...]

    @property
    def part(self) -> Part:
        """Whether it may be trained on."""
        return part_of(self.source, self.name)


def read(folder: Path) -> list[Dialogue]:
    """Return every dialogue in a folder and those below it."""
    dstc = (dialogue for file in sorted(folder.rglob("logs.json")) for dialogue in _dstc10(file))
    calls = (_harper_valley(file) for file in sorted(folder.rglob("transcript/*.json")))
    return [dialogue for dialogue in (*dstc, *calls) if dialogue.exchanges]


def _dstc10(file: Path) -> Iterator[Dialogue]:
    """Yield the dialogues of a file that holds beginnings of them: those that are no beginning of another one."""
    found = [
        [(turn["speaker"], turn["text"]) for turn in turns] for turns in json.loads(file.read_text(encoding="utf-8"))
    ]
    beginnings = {tuple(turns[:length]) for turns in found for length in range(1, len(turns))}
    whole = [turns for turns in found if tuple(turns) not in beginnings]
    for number, turns in enumerate(whole):
        yield Dialogue("dstc", str(number), _exchanges([("caller" if who == "U" else "agent", t) for who, t in turns]))


def _harper_valley(file: Path) -> Dialogue:
    segments: list[dict[str, Any]] = sorted(
        json.loads(file.read_text(encoding="utf-8")), key=lambda segment: segment["index"]
    )
    spoken = [(each["speaker_role"], _ANNOTATION.sub(" ", each["human_transcript"]).strip()) for each in segments]
    return Dialogue("hv", file.stem, _exchanges([turn for turn in spoken if turn[1]]))


def _exchanges(turns: list[tuple[str, str]]) -> tuple[Exchange, ...]:
    joined = [
        (who, (". " if who == "agent" else " ").join(text for _, text in together))
        for who, together in groupby(turns, key=lambda turn: turn[0])
    ]
    texts = [("agent", ""), *joined, ("agent", "")]
    return tuple(
        Exchange(before if who_before == "agent" else "", text, after if who_after == "agent" else "")
        for (who_before, before), (who, text), (who_after, after) in zip(texts, texts[1:], texts[2:], strict=False)
        if who == "caller"
    )
