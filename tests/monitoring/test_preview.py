from __future__ import annotations

import math
from pathlib import Path

import pytest

from monitoring import board
from monitoring.preview.draw import draw
from monitoring.preview.format import format_value
from monitoring.preview.panel_data import BoardData, PanelData, legend
from monitoring.prometheus_server import Series


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.5321, "s", "532 ms"),
        (1.5, "s", "1.5 s"),
        (0.0, "s", "0 s"),
        (0.375, "percentunit", "37.5%"),
        (0.0857, "currencyUSD", "$0.0857"),
        (1500, "cpm", "1500 c/m"),
        (24.01, "short", "24"),
        (math.nan, "s", ""),
    ],
)
def test_numbers_are_written_with_their_unit(value: float, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


def test_legend_is_filled_with_the_labels_of_a_series() -> None:
    assert legend("{{role}}: {{model}}", {"role": "main", "model": "large"}) == "main: large"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["overview", "answering"])
@pytest.mark.parametrize("values", [(), (math.nan, math.nan), (0.0, 0.0), (0.5, 2.0)])
def test_every_panel_can_be_drawn_whatever_prometheus_answers(
    name: str, values: tuple[float, ...], tmp_path: Path
) -> None:
    times = tuple(60.0 * minute for minute in range(len(values)))
    series = {f"series {number}": Series({}, times, values) for number in range(3)} if values else {}
    drawn = [PanelData(panel, series) for panel in board.panels(name) if panel.kind != "heatmap"]
    draw(
        BoardData("a title", drawn, dict.fromkeys(times[:1], "Version 1")),
        "a caption with $ and _",
        tmp_path / "picture.png",
    )
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
