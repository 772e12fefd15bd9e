from __future__ import annotations

import re

import pytest

from monitoring import board
from monitoring.board import Panel, TimeRange
from tests.monitoring.known import declared, labels_of
from tests.monitoring.promql import names_in

BOARDS = ("overview", "stages")
PANELS = [pytest.param(panel, id=f"{name}: {panel.title}") for name in BOARDS for panel in board.panels(name)]

#: Sums that a panel shows by other metrics, with more labels.
SHOWN_BY_OTHERS = {
    "livekit_llm_cost_total",
    "livekit_stt_cost_total",
    "livekit_tts_cost_total",
    "livekit_total_tokens_total",
}


def test_committed_dashboards_are_what_the_code_makes() -> None:
    pytest.importorskip("grafana_foundation_sdk", reason="the SDK needs Python 3.11")
    from monitoring.dashboards.render import render

    for path, text in render().items():
        assert path.read_text() == text, f"{path.name} is not current: run `make monitoring`"


@pytest.mark.parametrize("panel", PANELS)
def test_every_metric_and_label_of_a_query_exists(panel: Panel) -> None:
    for target in panel.targets:
        names = names_in(target.expr)
        known: set[str] = set()
        for selector in names.selectors:
            if selector.metric:
                labels = labels_of(selector.metric)
                assert labels is not None, f"no metric {selector.metric}"
            else:
                assert selector.matchers["__name__"].startswith("agent_metrics_")
                labels = {"job", "__name__"}
            assert set(selector.matchers) <= labels
            known |= labels
        assert names.grouped <= known


@pytest.mark.parametrize("panel", PANELS)
def test_legend_names_only_labels_that_the_query_keeps(panel: Panel) -> None:
    for target in panel.targets:
        kept = names_in(target.expr).grouped - {"le"} if panel.kind != "heatmap" else {"le"}
        assert set(re.findall(r"\{\{(\w+)\}\}", target.legend)) <= kept


@pytest.mark.parametrize("panel", PANELS)
def test_no_job_or_instance_is_named(panel: Panel) -> None:
    for target in panel.targets:
        for selector in names_in(target.expr).selectors:
            assert "instance" not in selector.matchers
            assert selector.matchers.get("job", "$job") == "$job"


@pytest.mark.parametrize("panel", PANELS)
def test_panel_says_what_it_shows_and_in_which_unit(panel: Panel) -> None:
    assert panel.unit
    assert len(panel.description) > 40
    assert len({target.legend for target in panel.targets}) == len(panel.targets)


@pytest.mark.parametrize("panel", PANELS)
def test_panel_is_in_the_documentation(panel: Panel) -> None:
    cells = re.split(r" \| | · |\n\| ", (board.FOLDER.parents[2] / "docs" / "monitoring.md").read_text())
    assert panel.title in cells


@pytest.mark.parametrize("name", BOARDS)
def test_panels_lie_side_by_side_on_the_grid(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board.panels(name):
        cells = {(panel.x + x, panel.y + y) for x in range(panel.width) for y in range(panel.height)}
        assert not cells & taken
        assert panel.x + panel.width <= 24
        taken |= cells


def test_every_metric_of_the_worker_is_shown() -> None:
    shown = {
        selector.metric
        for name in BOARDS
        for panel in board.panels(name)
        for target in panel.targets
        for selector in names_in(target.expr).selectors
    }
    families = {re.sub("_(bucket|sum|count)$", "", metric) for metric in declared()}
    assert families - {re.sub("_(bucket|sum|count)$", "", metric) for metric in shown} == SHOWN_BY_OTHERS


def test_variables_are_resolved_as_grafana_does() -> None:
    an_hour = TimeRange(0, 3600, scrape_interval=15)
    expr = 'rate(a{job=~"$job"}[$__rate_interval]) + increase(a[$__range]) + increase(a[$window])'
    resolved = board.resolve(expr, an_hour, board.variables("overview"))
    assert resolved == 'rate(a{job=~".*"}[60s]) + increase(a[3600s]) + increase(a[15m])'
