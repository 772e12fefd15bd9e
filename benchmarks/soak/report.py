"""What has grown?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.soak.run import Soak, count
from benchmarks.soak.samples import Sample

_WARM_UP = 5.0
"""Minutes in which caches fill: what grows in them says nothing."""


def write(soak: Soak, about: Mapping[str, Any], folder: Path) -> None:
    raw = json.loads(json.dumps({"about": about, **asdict(soak)}), parse_float=lambda text: round(float(text), 2))
    (folder / "soak.json").write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    (folder / "soak.md").write_text(markdown(soak, about), encoding="utf-8")


def markdown(soak: Soak, about: Mapping[str, Any]) -> str:
    template = (Path(__file__).parent / "template.md").read_text(encoding="utf-8")
    gaps = [turn.first for turn in soak.turns if turn.first is not None] or [float("nan")]
    return template.format(
        **about,
        calls=soak.calls,
        turns=len(soak.turns),
        heard="; ".join(f"{heard}: {times}" for heard, times in count(soak.turns).most_common()),
        first=f"{np.percentile(gaps, 50):.2f}",
        slow=f"{np.percentile(gaps, 95):.2f}",
        problems="\n".join(f"- {problem}" for problem in soak.problems) or "None.",
        rows="\n".join(rows(soak.samples)),
        warm_up=f"{_WARM_UP:g}",
        samples=len(soak.samples),
    )


def rows(samples: Sequence[Sample]) -> list[str]:
    """For each measure the median in the first and the last third of the time, and a line's slope through all."""
    warm = [sample for sample in samples if sample.minute >= _WARM_UP] or samples
    third = max(len(warm) // 3, 1)
    found = []
    for name in warm[0].values:
        values = [sample.values[name] for sample in warm]
        slope = float(np.polyfit([sample.minute / 60 for sample in warm], values, 1)[0]) if len(warm) > 1 else 0.0
        first, last = np.median(values[:third]), np.median(values[-third:])
        found.append(f"| {name} | {first:.1f} | {last:.1f} | {max(values):.1f} | {slope:+.1f} |")
    return found
