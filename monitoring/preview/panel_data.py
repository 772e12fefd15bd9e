"""The data of a dashboard: what Prometheus returns for the queries of its panels, by legend, and for its marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from monitoring import board
from monitoring.board import Panel, TimeRange
from monitoring.prometheus_server import Labels, Prometheus, Series


@dataclass(frozen=True)
class PanelData:
    """A panel with its series, by the names in its legend."""

    panel: Panel
    series: dict[str, Series]


@dataclass(frozen=True)
class BoardData:
    """A dashboard with the data of its panels.

    Attributes:
        title: Of the dashboard.
        panels: All of them.
        marks: Unix times at which a version has appeared, with its mark.
    """

    title: str
    panels: list[PanelData]
    marks: dict[float, str]


async def query_board(prometheus: Prometheus, name: str, time_range: TimeRange, window: str) -> BoardData:
    """Run the queries of a dashboard; ``window`` is the value of its variable ``$window``."""
    variables = {**board.variables(name), "window": window}
    deployments = board.deployments(name)
    marks = {
        one.times[0]: legend(deployments.legend, one.labels)
        for one in await prometheus.ask(deployments, time_range, variables)
    }
    panels = await _query_panels(prometheus, name, time_range, variables)
    return BoardData(board.load(name)["title"], panels, marks)


async def _query_panels(
    prometheus: Prometheus, name: str, time_range: TimeRange, variables: Mapping[str, str]
) -> list[PanelData]:
    found = []
    for panel in board.panels(name):
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
