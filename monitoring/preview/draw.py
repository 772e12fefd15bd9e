"""How does it look? Panels at their places on the dashboard's grid, in Grafana's colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator

from monitoring.board import Panel
from monitoring.preview.answers import Drawn
from monitoring.preview.units import written

_PAGE, _PANEL, _EDGE, _TEXT, _FAINT = "#111217", "#181b1f", "#2c3036", "#d5d8df", "#8e949e"
_SERIES = ("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#ffa6b0")
_LIGHTS = {"green": "#73bf69", "yellow": "#f2cc0c", "red": "#f2495c"}
_COLUMNS = 24
_INCH_A_COLUMN, _INCH_A_ROW = 0.58, 0.36
_CHARACTERS_A_COLUMN = 9
_GAP = 0.06  # inches between panels
_TITLE_ROWS = 1.4


@dataclass(frozen=True)
class _Span:
    """The time that all panels show."""

    start: float
    end: float

    @classmethod
    def of(cls, drawn: Sequence[Drawn]) -> _Span:
        times = [at for one in drawn for series in one.series.values() for at in series.times]
        return cls(min(times, default=0.0), max(times, default=60.0))


def draw(drawn: Sequence[Drawn], caption: str, path: Path) -> None:
    """Args: caption: stands above all, and says what is seen."""
    page = _Page(drawn, caption)
    for one in drawn:
        page.add(one)
    page.save(path)


class _Page:
    def __init__(self, drawn: Sequence[Drawn], caption: str) -> None:
        self._rows = max(one.panel.y + one.panel.height for one in drawn) + _TITLE_ROWS
        self._width, self._height = _COLUMNS * _INCH_A_COLUMN, self._rows * _INCH_A_ROW
        self._span = _Span.of(drawn)
        self._figure = plt.figure(figsize=(self._width, self._height), facecolor=_PAGE)
        self._write(0.1, 0.25, "Voice agent: overview", size=13, weight="bold")
        self._write(0.1, 0.47, caption, size=8, color=_FAINT)
        for name, top in {one.panel.row: one.panel.y - 1 for one in reversed(drawn)}.items():
            self._write(0.1, (top + _TITLE_ROWS) * _INCH_A_ROW + 0.24, f"⌄ {name}", size=9.5, color=_TEXT)

    def add(self, drawn: Drawn) -> None:
        panel = drawn.panel
        left, top = panel.x * _INCH_A_COLUMN, (panel.y + _TITLE_ROWS) * _INCH_A_ROW
        width, height = panel.width * _INCH_A_COLUMN, panel.height * _INCH_A_ROW
        self._frame(left, top, width, height)
        self._write(left + 0.14, top + 0.24, panel.title, size=8.5)
        if panel.kind == "stat":
            self._number(drawn, left, top)
        else:
            space = 0.2 if panel.kind == "bargauge" else 0.6
            axes = self._axes(left + space, top + 0.4, width - space - 0.2, height - 0.4 - _below(drawn))
            _PLOTS[panel.kind](axes, drawn, self._span)

    def save(self, path: Path) -> None:
        # A palette of 128 colours: nobody sees the difference, and the file is a third of the size.
        self._figure.savefig(path, dpi=110, facecolor=_PAGE)
        plt.close(self._figure)
        from PIL import Image  # matplotlib brings it

        with Image.open(path) as image:
            image.convert("RGB").quantize(128).save(path, optimize=True)

    def _number(self, drawn: Drawn, left: float, top: float) -> None:
        value = next((one.values[-1] for one in drawn.series.values()), math.nan)
        text = written(value, drawn.panel.unit) or "nothing yet"
        self._write(left + 0.14, top + 0.95, text, size=21, color=_light(drawn.panel, value))

    def _frame(self, left: float, top: float, width: float, height: float) -> None:
        x, y = self._at(left + _GAP / 2, top + height - _GAP / 2)
        size = ((width - _GAP) / self._width, (height - _GAP) / self._height)
        box = FancyBboxPatch((x, y), *size, boxstyle="round,pad=0,rounding_size=0.002", fc=_PANEL, ec=_EDGE, lw=0.7)
        box.set_zorder(-1)  # under the axes
        self._figure.add_artist(box)

    def _axes(self, left: float, top: float, width: float, height: float) -> Any:
        x, y = self._at(left, top + height)
        axes = self._figure.add_axes((x, y, width / self._width, height / self._height), facecolor=_PANEL)
        axes.spines[:].set_visible(False)
        axes.tick_params(colors=_FAINT, labelsize=7, length=0)
        return axes

    def _write(
        self, left: float, top: float, text: str, *, size: float, color: str = _TEXT, weight: str = "normal"
    ) -> None:
        self._figure.text(*self._at(left, top), text, fontsize=size, color=color, weight=weight, parse_math=False)

    def _at(self, left: float, top: float) -> tuple[float, float]:
        """Inches from the upper left corner as a share of the page, from the lower left one."""
        return left / self._width, 1 - top / self._height


def _lines(axes: Any, drawn: Drawn, span: _Span) -> None:
    base: dict[float, float] = {}
    for (name, one), colour in zip(drawn.series.items(), cycle(_SERIES), strict=False):
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
            fontsize=7, labelcolor=_TEXT, handlelength=1, columnspacing=1.2, borderaxespad=0, labelspacing=0.25,
        )  # fmt: skip


def _scale(axes: Any, panel: Panel, span: _Span) -> None:
    highest = max((value for line in axes.get_lines() for value in line.get_ydata() if math.isfinite(value)), default=0)
    axes.set_ylim(0, highest * 1.1 or 1)
    axes.set_xlim(0, (span.end - span.start) / 60)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=panel.unit == "short"))
    axes.yaxis.set_major_formatter(lambda value, _: written(value, panel.unit))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(lambda minute, _: f"{minute:.0f} min")
    axes.grid(color=_EDGE, lw=0.6)


def _bars(axes: Any, drawn: Drawn, _: _Span) -> None:
    last = {name: one.values[-1] for name, one in drawn.series.items() if math.isfinite(one.values[-1])}
    ordered = sorted(last, key=last.__getitem__)
    values = [last[name] for name in ordered]
    axes.barh(range(len(values)), values, height=0.34, color=_SERIES[: len(values)], alpha=0.85)
    axes.set_xlim(0, max(values, default=1) * 1.25 or 1)
    axes.set_ylim(-0.6, len(values) - 0.2)
    for row, name in enumerate(ordered):
        axes.text(0, row + 0.26, name, color=_TEXT, fontsize=7)
        axes.text(
            values[row] * 1.02, row, written(values[row], drawn.panel.unit), color=_TEXT, fontsize=7.5, va="center"
        )
    axes.set_axis_off()


_PLOTS = {"timeseries": _lines, "bargauge": _bars}


def _below(drawn: Drawn) -> float:
    """Inches for the time and the legend."""
    if drawn.panel.kind == "bargauge":
        return 0.15
    return 0.35 + (0.15 * math.ceil(len(drawn.series) / _legend_columns(drawn)) if _has_legend(drawn) else 0)


def _has_legend(drawn: Drawn) -> bool:
    return bool(drawn.series) and list(drawn.series) != [drawn.panel.title]


def _legend_columns(drawn: Drawn) -> int:
    longest = max(len(name) for name in drawn.series)
    return max(1, int(drawn.panel.width * _CHARACTERS_A_COLUMN / (longest + 4)))


def _light(panel: Panel, value: float) -> str:
    reached = [colour for limit, colour in panel.thresholds if limit is None or value >= limit]
    return _LIGHTS[reached[-1]] if reached else _TEXT
