"""What does a dashboard ask? Its panels, read from the JSON that Grafana loads, with their variables resolved."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "grafana" / "dashboards"
_POINTS = 200


@dataclass(frozen=True)
class Target:
    """One query of a panel.

    Attributes:
        instant: Whether it asks for the last value only, not for a line.
    """

    expr: str
    legend: str
    instant: bool


@dataclass(frozen=True)
class Panel:
    """A panel as the dashboard has it; ``kind`` is Grafana's name of its type, such as ``timeseries``."""

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


@dataclass(frozen=True)
class TimeRange:
    """What the reader has chosen to see, and how often Prometheus scrapes; seconds."""

    start: float
    end: float
    scrape_interval: float

    @property
    def step(self) -> float:
        return max(self.scrape_interval, (self.end - self.start) / _POINTS)


def panels(board: str) -> list[Panel]:
    """Args: board: name of the file, ``overview`` or ``stages``."""
    row, found = "", []
    for one in load(board)["panels"]:
        if one["type"] == "row":
            row = one["title"]
        else:
            found.append(_panel(one, row))
    return found


def load(board: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{board}.json").read_text(encoding="utf-8"))
    return found


def variables(board: str) -> dict[str, str]:
    """The dashboard's own variables with the values they have when it is opened."""
    found = {}
    for variable in load(board)["templating"]["list"]:
        value = (variable.get("current") or {}).get("value", "")
        found[variable["name"]] = variable["allValue"] if value == "$__all" else value
    return found


def resolve(expr: str, time_range: TimeRange, values: Mapping[str, str]) -> str:
    """The query that Grafana would send for a panel's expression.

    Grafana's rule for ``$__rate_interval``: at least four scrapes, so that every point has two samples.
    """
    scrape = time_range.scrape_interval
    known = {
        **values,
        "__range": f"{round(time_range.end - time_range.start)}s",
        "__interval": f"{round(time_range.step)}s",
        "__rate_interval": f"{max(round(time_range.step + scrape), round(4 * scrape))}s",
    }
    return re.sub(r"\$(\w+)", lambda found: known[found[1]], expr)


def _panel(one: Mapping[str, Any], row: str) -> Panel:
    defaults = one["fieldConfig"]["defaults"]
    place = one["gridPos"]
    steps = defaults.get("thresholds", {}).get("steps", [])
    return Panel(
        title=one["title"],
        kind=one["type"],
        description=one["description"],
        unit=defaults["unit"],
        stacked=defaults.get("custom", {}).get("stacking", {}).get("mode") == "normal",
        targets=tuple(
            Target(target["expr"], target["legendFormat"], bool(target.get("instant"))) for target in one["targets"]
        ),
        row=row,
        x=place["x"],
        y=place["y"],
        width=place["w"],
        height=place["h"],
        thresholds=tuple((step["value"], step["color"]) for step in steps),
    )
