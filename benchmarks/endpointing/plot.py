"""Delay against cut turns, as an SVG: two axes and some dots need no plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]
"""Share of cut turns, mean delay in seconds."""

_WIDTH, _HEIGHT = 860, 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 24, 48, 60
_STYLE = (
    "text{font:13px sans-serif;fill:#222}.title{font-size:16px;font-weight:bold}.grid{stroke:#e4e4e4}"
    ".setting{fill:#9aa4b0;fill-opacity:.45}.front{fill:none;stroke:#222;stroke-width:1.5}"
)


@dataclass(frozen=True)
class Marked:
    label: str
    point: Point
    colour: str


@dataclass(frozen=True)
class _Axes:
    most_cut: float
    most_delay: float

    def x(self, share: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * share / self.most_cut, 1)

    def y(self, delay: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * delay / self.most_delay, 1)


def svg(title: str, points: Sequence[Point], front: Sequence[Point], marked: Sequence[Marked]) -> str:
    everything = [*points, *(mark.point for mark in marked)]
    axes = _Axes(
        most_cut=0.1 * -(-max(share for share, _ in everything) // 0.1),
        most_delay=0.5 * -(-max(delay for _, delay in everything) // 0.5),
    )
    # Many settings lie on the same pixel.
    dots = sorted({(axes.x(share), axes.y(delay)) for share, delay in points})
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text class="title" x="{_LEFT}" y="26">{escape(title)}</text>',
        *_grid(axes),
        *(f'<circle class="setting" cx="{x}" cy="{y}" r="2"/>' for x, y in dots),
        f'<polyline class="front" points="{_steps(axes, front)}"/>',
        *(line for index, mark in enumerate(marked) for line in _mark(axes, mark, index)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _grid(axes: _Axes) -> list[str]:
    lines = []
    for tick in range(round(axes.most_cut * 10) + 1):
        x = axes.x(tick / 10)
        lines.append(f'<line class="grid" x1="{x}" y1="{_TOP}" x2="{x}" y2="{_HEIGHT - _BOTTOM}"/>')
        lines.append(f'<text x="{x}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{tick * 10} %</text>')
    for tick in range(round(axes.most_delay * 2) + 1):
        y = axes.y(tick / 2)
        lines.append(f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{tick / 2:.1f} s</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    lines.append(f'<text x="{middle}" y="{_HEIGHT - 14}" text-anchor="middle">turns cut in the middle</text>')
    lines.append(
        f'<text transform="translate(18 {(_TOP + _HEIGHT - _BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        "mean end-of-turn delay</text>"
    )
    return lines


def _steps(axes: _Axes, front: Sequence[Point]) -> str:
    """Between two points of the front the better one of either is not to be had: stairs, not slopes."""
    corners: list[Point] = []
    for share, delay in front:
        if corners:
            corners.append((corners[-1][0], delay))
        corners.append((share, delay))
    return " ".join(f"{axes.x(share)},{axes.y(delay)}" for share, delay in corners)


def _mark(axes: _Axes, mark: Marked, index: int) -> list[str]:
    x, y = axes.x(mark.point[0]), axes.y(mark.point[1])
    legend_x, legend_y = _WIDTH - _RIGHT - 390, _TOP + 18 + 20 * index
    return [
        f'<circle cx="{x}" cy="{y}" r="6" fill="{mark.colour}" stroke="#fff"/>',
        f'<circle cx="{legend_x}" cy="{legend_y - 4}" r="6" fill="{mark.colour}"/>',
        f'<text x="{legend_x + 12}" y="{legend_y}">{escape(mark.label)}</text>',
    ]
