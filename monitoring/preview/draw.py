"""Draws panels at their places in the dashboard's grid."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from monitoring.board import Panel
from monitoring.preview.colours import EDGE, FAINT, LIGHTS, PAGE, PANEL, TEXT
from monitoring.preview.format import format_value
from monitoring.preview.panel_data import BoardData, PanelData
from monitoring.preview.plots import PLOTS, TimeSpan, mark_versions, space_below

_COLUMNS = 24
_COLUMN_INCHES, _ROW_INCHES = 0.58, 0.36
_GAP_INCHES = 0.06
_TITLE_ROWS = 1.4


def draw(data: BoardData, caption: str, path: Path) -> None:
    """Draw all panels of a dashboard under a caption, into a PNG file."""
    page = _Page(data, caption)
    for panel_data in data.panels:
        page.add(panel_data)
    page.save(path)


class _Page:
    def __init__(self, board: BoardData, caption: str) -> None:
        data, self._marks = board.panels, board.marks
        self._rows = max(panel_data.panel.y + panel_data.panel.height for panel_data in data) + _TITLE_ROWS
        self._width, self._height = _COLUMNS * _COLUMN_INCHES, self._rows * _ROW_INCHES
        self._span = TimeSpan.of(data)
        self._figure = plt.figure(figsize=(self._width, self._height), facecolor=PAGE)
        self._write(0.1, 0.25, board.title, size=13, weight="bold")
        self._write(0.1, 0.47, caption, size=8, color=FAINT)
        for name, top in {panel_data.panel.row: panel_data.panel.y - 1 for panel_data in reversed(data)}.items():
            self._write(0.1, (top + _TITLE_ROWS) * _ROW_INCHES + 0.24, f"⌄ {name}", size=9.5, color=TEXT)

    def add(self, data: PanelData) -> None:
        panel = data.panel
        left, top = panel.x * _COLUMN_INCHES, (panel.y + _TITLE_ROWS) * _ROW_INCHES
        width, height = panel.width * _COLUMN_INCHES, panel.height * _ROW_INCHES
        self._frame(left, top, width, height)
        self._write(left + 0.14, top + 0.24, panel.title, size=8.5)
        if panel.kind == "stat":
            self._number(data, left, top)
        else:
            space = 0.2 if panel.kind == "bargauge" else 0.6
            axes = self._axes(left + space, top + 0.4, width - space - 0.2, height - 0.4 - space_below(data))
            PLOTS[panel.kind](axes, data, self._span)
            if panel.kind == "timeseries":
                mark_versions(axes, self._marks, self._span)

    def save(self, path: Path) -> None:
        whole = io.BytesIO()
        self._figure.savefig(whole, dpi=110, facecolor=PAGE)
        plt.close(self._figure)
        with Image.open(whole) as image:  # a palette of 128 colours looks the same and takes a third of the space
            image.convert("RGB").quantize(128).save(path, optimize=True)

    def _number(self, data: PanelData, left: float, top: float) -> None:
        value = next((panel_data.values[-1] for panel_data in data.series.values()), math.nan)
        text = format_value(value, data.panel.unit) or data.panel.no_value
        self._write(left + 0.14, top + 0.95, text, size=21 if data.series else 13, color=_colour(data.panel, value))

    def _frame(self, left: float, top: float, width: float, height: float) -> None:
        x, y = self._at(left + _GAP_INCHES / 2, top + height - _GAP_INCHES / 2)
        size = ((width - _GAP_INCHES) / self._width, (height - _GAP_INCHES) / self._height)
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
        """Convert inches from the upper left corner to fractions of the page from the lower left corner."""
        return left / self._width, 1 - top / self._height


def _colour(panel: Panel, value: float) -> str:
    reached = [colour for limit, colour in panel.thresholds if limit is None or value >= limit]
    return LIGHTS[reached[-1]] if reached else TEXT
