"""Draws the inside of a panel: lines, which may be stacked, and bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from matplotlib.ticker import MaxNLocator

from monitoring.board import Panel
from monitoring.preview.colours import EDGE, MARK, SERIES, TEXT
from monitoring.preview.format import format_value
from monitoring.preview.panel_data import PanelData

_CHARS_PER_COLUMN = 9


@dataclass(frozen=True)
class TimeSpan:
    """The time range of all panels, in Unix seconds."""

    start: float
    end: float

    @classmethod
    def of(cls, data: Sequence[PanelData]) -> TimeSpan:
        """Return the range that covers all series."""
        times = [at for panel_data in data for series in panel_data.series.values() for at in series.times]
        return cls(min(times, default=0.0), max(times, default=60.0))


def _lines(axes: Any, data: PanelData, span: TimeSpan) -> None:
    base: dict[float, float] = {}
    for (name, one), colour in zip(data.series.items(), cycle(SERIES), strict=False):
        points = {
            at: value if math.isfinite(value) else math.nan for at, value in zip(one.times, one.values, strict=True)
        }
        below = [base.get(at, 0.0) if data.panel.stacked else 0.0 for at in points]
        heights = [low + value for low, value in zip(below, points.values(), strict=True)]
        minutes = [(at - span.start) / 60 for at in points]
        axes.plot(minutes, heights, color=colour, lw=1.3, label=name)
        axes.fill_between(minutes, below, heights, color=colour, alpha=0.35 if data.panel.stacked else 0.07, lw=0)
        base.update({at: height for at, height in zip(points, heights, strict=True) if math.isfinite(height)})
    _scale(axes, data.panel, span)
    if _has_legend(data):
        axes.legend(
            loc="upper left", bbox_to_anchor=(-0.05, -0.14), ncols=_legend_columns(data), frameon=False,
            fontsize=7, labelcolor=TEXT, handlelength=1, columnspacing=1.2, borderaxespad=0, labelspacing=0.25,
        )  # fmt: skip


def _scale(axes: Any, panel: Panel, span: TimeSpan) -> None:
    highest = max((value for line in axes.get_lines() for value in line.get_ydata() if math.isfinite(value)), default=0)
    axes.set_ylim(0, highest * 1.1 or 1)
    axes.set_xlim(0, (span.end - span.start) / 60)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=panel.unit == "short"))
    axes.yaxis.set_major_formatter(lambda value, _: format_value(value, panel.unit))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(lambda minute, _: f"{minute:.0f} min")
    axes.grid(color=EDGE, lw=0.6)


def _bars(axes: Any, data: PanelData, _: TimeSpan) -> None:
    last = {name: one.values[-1] for name, one in data.series.items() if math.isfinite(one.values[-1])}
    ordered = sorted(last, key=last.__getitem__)
    values = [last[name] for name in ordered]
    axes.barh(range(len(values)), values, height=0.34, color=SERIES[: len(values)], alpha=0.85)
    axes.set_xlim(0, max(values, default=1) * 1.25 or 1)
    axes.set_ylim(-0.6, len(values) - 0.2)
    for row, name in enumerate(ordered):
        axes.text(0, row + 0.26, name, color=TEXT, fontsize=7)
        axes.text(
            values[row] * 1.02, row, format_value(values[row], data.panel.unit), color=TEXT, fontsize=7.5, va="center"
        )
    axes.set_axis_off()


def mark_versions(axes: Any, marks: Mapping[float, str], span: TimeSpan) -> None:
    """Draw a line where a version has appeared."""
    for at in marks:
        axes.axvline((at - span.start) / 60, color=MARK, lw=1.2, ls="--")


PLOTS = {"timeseries": _lines, "bargauge": _bars}


def space_below(data: PanelData) -> float:
    """Return the inches below a panel's plot for the time axis and the legend."""
    if data.panel.kind == "bargauge":
        return 0.15
    return 0.35 + (0.15 * math.ceil(len(data.series) / _legend_columns(data)) if _has_legend(data) else 0)


def _has_legend(data: PanelData) -> bool:
    return bool(data.series) and list(data.series) != [data.panel.title]


def _legend_columns(data: PanelData) -> int:
    longest = max(len(name) for name in data.series)
    return max(1, int(data.panel.width * _CHARS_PER_COLUMN / (longest + 4)))
