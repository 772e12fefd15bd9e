"""The rate of false cut-offs that belongs to every figure of a first sound: who answers earlier cuts more pauses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.harness.cli import DOCS

_SENTENCE = (
    "The callers are synthetic and do not pause. People do: in replays of recordings of people, the default "
    "end-of-turn detector (`fused`) cuts {fused}, v1-mini (`livekit-mini`, the default until November 2026) {mini}, "
    "and stock livekit-agents {stock} ([turn-taking.md](turn-taking.md))."
)


def cut_offs(figures: Path = DOCS / "turn-taking.json") -> str:
    """Return in one sentence how many pauses of people the policies cut, for reports in the folder of that report."""
    policies: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))["policies"]

    def share(policy: str) -> str:
        found = policies[policy]
        return f"{found['cut']['value']:.0%}, at a mean delay of {found['mean']['value']:.2f} s"

    fused, mini = share("agent-worker, fused"), share("agent-worker, livekit-mini")
    return _SENTENCE.format(
        fused=fused.replace(",", " of the pauses,", 1), mini=mini, stock=share("stock livekit-agents")
    )
