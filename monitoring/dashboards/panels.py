"""One function for each kind of panel; all kinds share data source, legend and colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import bargauge, common, dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import heatmap as heatmap_models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_HEIGHT = 8
_STAT_HEIGHT = 4
NOTHING_YET = "nothing yet"


class Unit:
    """Grafana's names of units."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    SHARE = "percentunit"
    USD = "currencyUSD"
    COUNT = "short"
    PER_MINUTE = "cpm"
    BYTES = "bytes"


@dataclass(frozen=True)
class Query:
    """A query in PromQL; ``{{label}}`` in the legend stands for the value of a label."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """The content of a panel, without its kind.

    Attributes:
        title: Above the panel.
        description: What it shows, and what a bad value means.
        unit: One of ``Unit``.
        queries: One for each line, bar or number.
        width: In columns; a dashboard has 24.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    width: int = 8


def lines(panel: Panel, *, stacked: bool = False, from_zero: bool = True) -> timeseries.Panel:
    """Return a panel with a line for each series; without ``from_zero``, values may be below it."""
    built = timeseries.Panel().height(_HEIGHT).line_width(2).fill_opacity(40 if stacked else 8)
    if from_zero:
        built = built.min(0)
    built = built.show_points(common_models.VisibilityMode.AUTO).legend(_legend()).tooltip(_tooltip())
    if stacked:
        built = built.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
    _describe(built, panel)
    for target in _targets(panel):
        built = built.with_target(target.range())
    return built


def number(
    panel: Panel, good_until: float | None = None, bad_from: float | None = None, *, no_value: str = NOTHING_YET
) -> stat.Panel:
    """Return a panel with one number: green, yellow from ``good_until``, red from ``bad_from``.

    Args:
        panel: Its content.
        good_until: In its unit; without limits the number has no colour.
        bad_from: In its unit.
        no_value: What stands there if there is no number.
    """
    built = stat.Panel().height(_STAT_HEIGHT).graph_mode(common_models.BigValueGraphMode.NONE).no_value(no_value)
    built = built.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    if good_until is None or bad_from is None:
        built = built.color_mode(common_models.BigValueColorMode.NONE)
    else:
        built = built.color_mode(common_models.BigValueColorMode.VALUE).thresholds(_traffic_light(good_until, bad_from))
    _describe(built, panel)
    for target in _targets(panel):
        built = built.with_target(target.instant())
    return built


def bars(panel: Panel) -> bargauge.Panel:
    """Return a panel with a bar for each series, for the time range."""
    built = bargauge.Panel().height(_HEIGHT).orientation(common_models.VizOrientation.HORIZONTAL).min(0)
    built = built.display_mode(common_models.BarGaugeDisplayMode.BASIC).no_value(NOTHING_YET)
    built = built.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    built = built.color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
    _describe(built, panel)
    for target in _targets(panel):
        built = built.with_target(target.instant())
    return built


def heat(panel: Panel) -> heatmap.Panel:
    """Return a heat map of a histogram over time; the query's series are its buckets (``le``)."""
    colours = heatmap.HeatmapColorOptions().mode(heatmap_models.HeatmapColorMode.SCHEME).scheme("Oranges").steps(64)
    built = heatmap.Panel().height(_HEIGHT).calculate(False).color(colours).show_legend().show_tooltip()
    built = built.y_axis(heatmap.YAxisConfig().unit(panel.unit))
    built = built.cell_values(heatmap.CellValues().unit(Unit.COUNT))
    _describe(built, panel)
    for target in _targets(panel):
        built = built.with_target(target.range().format(PromQueryFormat.HEATMAP))
    return built


def _describe(built: timeseries.Panel | stat.Panel | bargauge.Panel | heatmap.Panel, panel: Panel) -> None:
    """Set what all kinds have. Changes the builder in place."""
    built.title(panel.title).description(panel.description).unit(panel.unit).span(panel.width).datasource(DATASOURCE)


def _targets(panel: Panel) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery()
        .expr(query.expr)
        .legend_format(query.legend or panel.title)
        .ref_id(chr(ord("A") + number))
        for number, query in enumerate(panel.queries)
    ]


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().display_mode(common_models.LegendDisplayMode.LIST).show_legend(True)
    return legend.placement(common_models.LegendPlacement.BOTTOM)


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)


def _traffic_light(good_until: float, bad_from: float) -> dashboard.ThresholdsConfig:
    steps = [
        models.Threshold(value=None, color="green"),
        models.Threshold(value=good_until, color="yellow"),
        models.Threshold(value=bad_from, color="red"),
    ]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)
