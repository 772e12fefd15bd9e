"""How does it look? Panels at their places on the dashboard's grid."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from monitoring.board import Panel
from monitoring.preview.answers import Drawn
from monitoring.preview.colours import EDGE, FAINT, LIGHTS, PAGE, PANEL, TEXT
from monitoring.preview.plots import PLOTS, Span, space_below
from monitoring.preview.units import written

_COLUMNS = 24
_INCH_A_COLUMN, _INCH_A_ROW = 0.58, 0.36
_GAP = 0.06  # inches between panels
_TITLE_ROWS = 1.4


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
        self._span = Span.of(drawn)
        self._figure = plt.figure(figsize=(self._width, self._height), facecolor=PAGE)
        self._write(0.1, 0.25, "Voice agent: overview", size=13, weight="bold")
        self._write(0.1, 0.47, caption, size=8, color=FAINT)
        for name, top in {one.panel.row: one.panel.y - 1 for one in reversed(drawn)}.items():
            self._write(0.1, (top + _TITLE_ROWS) * _INCH_A_ROW + 0.24, f"⌄ {name}", size=9.5, color=TEXT)

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
            axes = self._axes(left + space, top + 0.4, width - space - 0.2, height - 0.4 - space_below(drawn))
            PLOTS[panel.kind](axes, drawn, self._span)

    def save(self, path: Path) -> None:
        whole = io.BytesIO()
        self._figure.savefig(whole, dpi=110, facecolor=PAGE)
        plt.close(self._figure)
        with Image.open(whole) as image:  # a palette of 128 colours looks the same and takes a third of the space
            image.convert("RGB").quantize(128).save(path, optimize=True)

    def _number(self, drawn: Drawn, left: float, top: float) -> None:
        value = next((one.values[-1] for one in drawn.series.values()), math.nan)
        text = written(value, drawn.panel.unit) or "nothing yet"
        self._write(left + 0.14, top + 0.95, text, size=21, color=_light(drawn.panel, value))

    def _frame(self, left: float, top: float, width: float, height: float) -> None:
        x, y = self._at(left + _GAP / 2, top + height - _GAP / 2)
        size = ((width - _GAP) / self._width, (height - _GAP) / self._height)
        box = FancyBboxPatch((x, y), *size, boxstyle="round,pad=0,rounding_size=0.002", fc=PANEL, ec=EDGE, lw=0.7)
        box.set_zorder(-1)  # under the axes
        self._figure.add_artist(box)

    def _axes(self, left: float, top: float, width: float, height: float) -> Any:
        x, y = self._at(left, top + height)
        axes = self._figure.add_axes((x, y, width / self._width, height / self._height), facecolor=PANEL)
        axes.spines[:].set_visible(False)
        axes.tick_params(colors=FAINT, labelsize=7, length=0)
        return axes

    def _write(
        self, left: float, top: float, text: str, *, size: float, color: str = TEXT, weight: str = "normal"
    ) -> None:
        self._figure.text(*self._at(left, top), text, fontsize=size, color=color, weight=weight, parse_math=False)

    def _at(self, left: float, top: float) -> tuple[float, float]:
        """Inches from the upper left corner as a share of the page, from the lower left one."""
        return left / self._width, 1 - top / self._height


def _light(panel: Panel, value: float) -> str:
    reached = [colour for limit, colour in panel.thresholds if limit is None or value >= limit]
    return LIGHTS[reached[-1]] if reached else TEXT
