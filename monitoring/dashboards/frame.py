"""What both dashboards have in common: name, variables, time range, links, rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as models

from monitoring.dashboards.panels import DATASOURCE, Panel, lines

FillRow = Callable[[dashboard.Dashboard], dashboard.Dashboard]

_TAG = "agent-worker"
_WINDOWS = ("5m", "15m", "1h", "6h", "1d")
_DEFAULT_WINDOW = "15m"


def frame(uid: str, title: str, description: str, rows: Mapping[str, FillRow]) -> dashboard.Dashboard:
    """A dashboard with these rows, by title, each filled by a function."""
    board = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([_TAG])
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("30s")
        .readonly()  # it is made by code: what is saved in Grafana would be lost with the next version
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(_datasource())
        .with_variable(_job())
        .with_variable(_window())
        .link(_other_dashboards())
    )
    for row, fill in rows.items():
        board = fill(board.with_row(dashboard.Row(row)))
    return board


def with_lines(board: dashboard.Dashboard, panels: Iterable[Panel]) -> dashboard.Dashboard:
    for panel in panels:
        board = board.with_panel(lines(panel))
    return board


def _datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def _job() -> dashboard.QueryVariable:
    """Deployments apart, such as staging and production, where Prometheus scrapes them under names of their own."""
    return (
        dashboard.QueryVariable("job")
        .label("Job")
        .datasource(DATASOURCE)
        .query("label_values(livekit_active_conversations, job)")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )


def _window() -> dashboard.IntervalVariable:
    return (
        dashboard.IntervalVariable("window")
        .label("Each point covers the last")
        .description("Longer is smoother, and what thin traffic needs; shorter shows a change sooner.")
        .values(",".join(_WINDOWS))
        .options(
            [
                models.VariableOption(selected=window == _DEFAULT_WINDOW, text=window, value=window)
                for window in _WINDOWS
            ]
        )
        .current(models.VariableOption(selected=True, text=_DEFAULT_WINDOW, value=_DEFAULT_WINDOW))
    )


def _other_dashboards() -> dashboard.DashboardLink:
    link = dashboard.DashboardLink("More of the agent").type(models.DashboardLinkType.DASHBOARDS).tags([_TAG])
    return link.keep_time(True).include_vars(True)
