"""How does it look?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from benchmarks.latency.results import Results
from benchmarks.latency.stats import Spread
from benchmarks.latency.summary import Summary, summaries

_GAPS = (("response_gap", "first sound", "#1b7f5c"), ("answer_gap", "answer", "#8c8c8c"))


def draw(results: Results, path: Path) -> None:
    """One panel for each profile: a bar to the median, a line to the 95th percentile."""
    table = summaries(results)
    profiles = list(dict.fromkeys(profile for profile, _ in table))
    if not profiles:
        return
    rows = max(sum(of == profile for of, _ in table) for profile in profiles)
    plt.rcParams["svg.hashsalt"] = "latency"  # the same results make the same file
    figure, panels = plt.subplots(
        len(profiles), 1, figsize=(8, len(profiles) * (0.42 * rows + 0.9)), squeeze=False, layout="constrained"
    )
    for panel, profile in zip(panels[:, 0], profiles, strict=True):
        _panel(panel, profile, [summary for (of, _), summary in table.items() if of == profile])
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
    panels[-1, 0].set_xlabel("ms after the caller's last sound: bar p50, line p95")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _panel(panel: Any, profile: str, systems: list[Summary]) -> None:
    for offset, (name, label, colour) in zip((-0.18, 0.18), _GAPS, strict=True):
        spreads: list[Spread | None] = [getattr(summary, name) for summary in systems]
        known = [(row + offset, spread) for row, spread in enumerate(spreads) if spread is not None]
        if not known:
            continue
        at = [row for row, _ in known]
        medians = [spread.p50 * 1000 for _, spread in known]
        tails = [(spread.p95 - spread.p50) * 1000 for _, spread in known]
        panel.barh(at, medians, height=0.34, color=colour, label=label)
        panel.errorbar(medians, at, xerr=[[0] * len(at), tails], fmt="none", ecolor="black", elinewidth=1, capsize=2)
    panel.set_yticks(range(len(systems)), [summary.system for summary in systems])
    panel.invert_yaxis()
    panel.set_xlim(left=0)
    panel.set_title(profile, loc="left", fontsize=10)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="x", alpha=0.3)
