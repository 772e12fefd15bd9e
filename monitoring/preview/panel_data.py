"""The data of panels: what Prometheus returns for their queries, by legend."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitoring import board
from monitoring.board import Panel, TimeRange
from monitoring.prometheus_server import Labels, Prometheus, Series

BOARD = "overview"


@dataclass(frozen=True)
class PanelData:
    """A panel with its series, by the names in its legend."""

    panel: Panel
    series: dict[str, Series]


async def query_panels(prometheus: Prometheus, time_range: TimeRange, window: str) -> list[PanelData]:
    """Run the queries of all panels; ``window`` is the value of the dashboard's variable ``$window``."""
    variables = {**board.variables(BOARD), "window": window}
    found = []
    for panel in board.panels(BOARD):
        series = {
            legend(target.legend, one.labels): one
            for target in panel.targets
            for one in await prometheus.ask(target, time_range, variables)
        }
        found.append(PanelData(panel, series))
    return found


def legend(pattern: str, labels: Labels) -> str:
    """Return the name of a series: ``pattern`` with the values of its labels."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), pattern)
