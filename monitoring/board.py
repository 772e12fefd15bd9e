"""The panels of a dashboard, read from the JSON that Grafana loads, and their queries with variables resolved."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BOARDS = ("overview", "answering", "stages")
FOLDER = Path(__file__).resolve().parent / "grafana" / "dashboards"
_POINTS = 200


@dataclass(frozen=True)
class Target:
    """One query of a panel.

    Attributes:
        expr: In PromQL, with Grafana's variables.
        legend: Name of a series; ``{{label}}`` stands for the value of a label.
        instant: Whether it asks for the last value only, instead of a range.
    """

    expr: str
    legend: str
    instant: bool


@dataclass(frozen=True)
class Panel:
    """A panel of a dashboard.

    Attributes:
        kind: Grafana's name of its type, such as ``timeseries``.
        x: Its left edge, in columns; ``y``, ``width`` and ``height`` likewise, in columns and rows.
        thresholds: From which value on it has which colour, in rising order.
        no_value: What stands there if there is no number.
    """

    title: str
    kind: str
    description: str
    unit: str
    stacked: bool
    targets: tuple[Target, ...]
    row: str
    x: int
    y: int
    width: int
    height: int
    thresholds: tuple[tuple[float | None, str], ...]
    no_value: str


@dataclass(frozen=True)
class TimeRange:
    """The time range of a query and the scrape interval, in seconds."""

    start: float
    end: float
    scrape_interval: float

    @property
    def step(self) -> float:
        """Seconds between two points."""
        return max(self.scrape_interval, (self.end - self.start) / _POINTS)


def panels(board: str) -> list[Panel]:
    """Return the panels of a dashboard; ``board`` is the name of its file, such as ``overview``."""
    row, found = "", []
    for panel in load(board)["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        else:
            found.append(_panel(panel, row))
    return found


def deployments(board: str) -> Target:
    """Return the query of a dashboard's marks: it has a value where a version has just appeared."""
    (marks,) = [mark for mark in load(board)["annotations"]["list"] if mark["name"] == "Versions"]
    return Target(marks["expr"], marks["titleFormat"], instant=False)


def load(board: str) -> dict[str, Any]:
    """Return the JSON of a dashboard."""
    found: dict[str, Any] = json.loads((FOLDER / f"{board}.json").read_text(encoding="utf-8"))
    return found


def variables(board: str) -> dict[str, str]:
    """Return the variables of a dashboard with their default values."""
    found = {}
    for variable in load(board)["templating"]["list"]:
        value = (variable.get("current") or {}).get("value", "")
        found[variable["name"]] = variable["allValue"] if value == "$__all" else value
    return found


def resolve(expr: str, time_range: TimeRange, values: Mapping[str, str]) -> str:
    """Return the query that Grafana sends for a panel's expression.

    ``$__rate_interval`` follows Grafana's rule: at least four scrapes, so that every point has two samples.
    """
    scrape = time_range.scrape_interval
    known = {
        **values,
        "__range": f"{round(time_range.end - time_range.start)}s",
        "__interval": f"{round(time_range.step)}s",
        "__rate_interval": f"{max(round(time_range.step + scrape), round(4 * scrape))}s",
    }
    return re.sub(r"\$(\w+)", lambda found: known[found[1]], expr)


def _panel(panel: Mapping[str, Any], row: str) -> Panel:
    defaults = panel["fieldConfig"]["defaults"]
    place = panel["gridPos"]
    steps = defaults.get("thresholds", {}).get("steps", [])
    return Panel(
        title=panel["title"],
        kind=panel["type"],
        description=panel["description"],
        unit=defaults["unit"],
        stacked=defaults.get("custom", {}).get("stacking", {}).get("mode") == "normal",
        targets=tuple(
            Target(target["expr"], target["legendFormat"], bool(target.get("instant"))) for target in panel["targets"]
        ),
        row=row,
        x=place["x"],
        y=place["y"],
        width=place["w"],
        height=place["h"],
        thresholds=tuple((step["value"], step["color"]) for step in steps),
        no_value=defaults.get("noValue", ""),
    )
