"""What does a panel have to draw? Prometheus' answers to its queries, with their names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitoring import board
from monitoring.board import Panel, TimeRange
from monitoring.server import Labels, Prometheus, Series

BOARD = "overview"


@dataclass(frozen=True)
class Drawn:
    """A panel with its series, by the names that its legend shows."""

    panel: Panel
    series: dict[str, Series]


async def answers(prometheus: Prometheus, time_range: TimeRange, window: str) -> list[Drawn]:
    """Args: window: the value of the dashboard's variable ``$window``."""
    variables = {**board.variables(BOARD), "window": window}
    found = []
    for panel in board.panels(BOARD):
        series = {
            legend(target.legend, one.labels): one
            for target in panel.targets
            for one in await prometheus.ask(target, time_range, variables)
        }
        found.append(Drawn(panel, series))
    return found


def legend(pattern: str, labels: Labels) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), pattern)
