"""The report's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness.markdown import fill, row
from benchmarks.harness.stats import percentile
from benchmarks.soak.run import Sample, Soak

_WARM_UP_MINUTES = 5.0
"""Caches fill in them; growth then means nothing."""


def markdown(soak: Soak) -> str:
    """Return the page."""
    gaps = [turn.first for turn in soak.turns if turn.first is not None]
    heard = Counter(", ".join(turn.heard) or "nothing" for turn in soak.turns)
    return fill(
        Path(__file__).parent / "template.md",
        **soak.about,
        calls=soak.calls,
        turns=len(soak.turns),
        heard="; ".join(f"{what}: {times}" for what, times in heard.most_common()),
        first=f"{percentile(gaps, 50):.2f}",
        slow=f"{percentile(gaps, 95):.2f}",
        problems="\n".join(f"- {problem}" for problem in soak.problems) or "None.",
        rows="\n".join(rows(soak.samples)),
        warm_up=f"{_WARM_UP_MINUTES:g}",
        samples=len(soak.samples),
    )


def rows(samples: Sequence[Sample]) -> list[str]:
    """Return a row for each measure: medians of the first and the last third, the maximum, the slope per hour."""
    warm = [sample for sample in samples if sample.minute >= _WARM_UP_MINUTES] or samples
    third = max(len(warm) // 3, 1)
    found = []
    for name in warm[0].values:
        values = [sample.values[name] for sample in warm]
        slope = float(np.polyfit([sample.minute / 60 for sample in warm], values, 1)[0]) if len(warm) > 1 else 0.0
        first, last = np.median(values[:third]), np.median(values[-third:])
        found.append(row(name, f"{first:.1f}", f"{last:.1f}", f"{max(values):.1f}", f"{slope:+.1f}"))
    return found
