"""What is inside a panel: lines, stacked or not, and bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from matplotlib.ticker import MaxNLocator

from monitoring.board import Panel
from monitoring.preview.answers import Drawn
from monitoring.preview.colours import EDGE, SERIES, TEXT
from monitoring.preview.units import written

_CHARACTERS_A_COLUMN = 9


@dataclass(frozen=True)
class Span:
    """The time that all panels show."""

    start: float
    end: float

    @classmethod
    def of(cls, drawn: Sequence[Drawn]) -> Span:
        times = [at for one in drawn for series in one.series.values() for at in series.times]
        return cls(min(times, default=0.0), max(times, default=60.0))


def _lines(axes: Any, drawn: Drawn, span: Span) -> None:
    base: dict[float, float] = {}
    for (name, one), colour in zip(drawn.series.items(), cycle(SERIES), strict=False):
        points = {
            at: value if math.isfinite(value) else math.nan for at, value in zip(one.times, one.values, strict=True)
        }
        below = [base.get(at, 0.0) if drawn.panel.stacked else 0.0 for at in points]
        heights = [low + value for low, value in zip(below, points.values(), strict=True)]
        minutes = [(at - span.start) / 60 for at in points]
        axes.plot(minutes, heights, color=colour, lw=1.3, label=name)
        axes.fill_between(minutes, below, heights, color=colour, alpha=0.35 if drawn.panel.stacked else 0.07, lw=0)
        base.update({at: height for at, height in zip(points, heights, strict=True) if math.isfinite(height)})
    _scale(axes, drawn.panel, span)
    if _has_legend(drawn):
        axes.legend(
            loc="upper left", bbox_to_anchor=(-0.05, -0.14), ncols=_legend_columns(drawn), frameon=False,
            fontsize=7, labelcolor=TEXT, handlelength=1, columnspacing=1.2, borderaxespad=0, labelspacing=0.25,
        )  # fmt: skip


def _scale(axes: Any, panel: Panel, span: Span) -> None:
    highest = max((value for line in axes.get_lines() for value in line.get_ydata() if math.isfinite(value)), default=0)
    axes.set_ylim(0, highest * 1.1 or 1)
    axes.set_xlim(0, (span.end - span.start) / 60)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=panel.unit == "short"))
    axes.yaxis.set_major_formatter(lambda value, _: written(value, panel.unit))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(lambda minute, _: f"{minute:.0f} min")
    axes.grid(color=EDGE, lw=0.6)


def _bars(axes: Any, drawn: Drawn, _: Span) -> None:
    last = {name: one.values[-1] for name, one in drawn.series.items() if math.isfinite(one.values[-1])}
    ordered = sorted(last, key=last.__getitem__)
    values = [last[name] for name in ordered]
    axes.barh(range(len(values)), values, height=0.34, color=SERIES[: len(values)], alpha=0.85)
    axes.set_xlim(0, max(values, default=1) * 1.25 or 1)
    axes.set_ylim(-0.6, len(values) - 0.2)
    for row, name in enumerate(ordered):
        axes.text(0, row + 0.26, name, color=TEXT, fontsize=7)
        axes.text(
            values[row] * 1.02, row, written(values[row], drawn.panel.unit), color=TEXT, fontsize=7.5, va="center"
        )
    axes.set_axis_off()


PLOTS = {"timeseries": _lines, "bargauge": _bars}


def space_below(drawn: Drawn) -> float:
    """Inches for the time and the legend."""
    if drawn.panel.kind == "bargauge":
        return 0.15
    return 0.35 + (0.15 * math.ceil(len(drawn.series) / _legend_columns(drawn)) if _has_legend(drawn) else 0)


def _has_legend(drawn: Drawn) -> bool:
    return bool(drawn.series) and list(drawn.series) != [drawn.panel.title]


def _legend_columns(drawn: Drawn) -> int:
    longest = max(len(name) for name in drawn.series)
    return max(1, int(drawn.panel.width * _CHARACTERS_A_COLUMN / (longest + 4)))
