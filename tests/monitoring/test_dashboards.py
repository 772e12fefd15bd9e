from __future__ import annotations

import re

import pytest

from monitoring import board
from monitoring.board import Panel, TimeRange
from tests.monitoring.known import declared, labels_of, of_guard, of_page
from tests.monitoring.promql import names_in

PANELS = [pytest.param(panel, id=f"{name}: {panel.title}") for name in board.BOARDS for panel in board.panels(name)]

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
                labels = {"job", "instance", "__name__"}
            assert set(selector.matchers) <= labels
            known |= labels
        assert names.grouped <= known


@pytest.mark.parametrize("panel", PANELS)
def test_legend_names_only_labels_that_the_query_keeps(panel: Panel) -> None:
    for target in panel.targets:
        kept = names_in(target.expr).grouped - {"le"} if panel.kind != "heatmap" else {"le"}
        assert set(re.findall(r"\{\{(\w+)\}\}", target.legend)) <= kept


@pytest.mark.parametrize("panel", PANELS)
def test_job_and_instance_are_those_that_are_chosen_at_the_top(panel: Panel) -> None:
    for target in panel.targets:
        for selector in names_in(target.expr).selectors:
            assert selector.matchers.get("job", "$job") == "$job"
            if ":" in selector.metric or selector.metric in {**of_guard(), **of_page()}:
                assert "instance" not in selector.matchers
            else:
                assert selector.matchers.get("instance", "$instance") == "$instance"


@pytest.mark.parametrize("panel", PANELS)
def test_panel_says_what_it_shows_and_in_which_unit(panel: Panel) -> None:
    assert panel.unit
    assert len(panel.description) > 40
    assert len({target.legend for target in panel.targets}) == len(panel.targets)


@pytest.mark.parametrize("panel", PANELS)
def test_panel_is_in_the_documentation(panel: Panel) -> None:
    cells = re.split(r" \| | · |\n\| ", (board.FOLDER.parents[2] / "docs" / "monitoring.md").read_text())
    assert panel.title in cells


@pytest.mark.parametrize("name", board.BOARDS)
def test_panels_lie_side_by_side_on_the_grid(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board.panels(name):
        cells = {(panel.x + x, panel.y + y) for x in range(panel.width) for y in range(panel.height)}
        assert not cells & taken
        assert panel.x + panel.width <= 24
        taken |= cells


def test_every_metric_of_worker_guard_and_page_is_shown() -> None:
    shown = {
        selector.metric
        for name in board.BOARDS
        for panel in board.panels(name)
        for target in panel.targets
        for selector in names_in(target.expr).selectors
    }
    families = {re.sub("_(bucket|sum|count)$", "", metric) for metric in {**declared(), **of_guard(), **of_page()}}
    assert families - {re.sub("_(bucket|sum|count)$", "", metric) for metric in shown} == SHOWN_BY_OTHERS


@pytest.mark.parametrize("name", board.BOARDS)
def test_versions_that_appear_are_marked(name: str) -> None:
    marks = board.deployments(name)
    assert {selector.metric for selector in names_in(marks.expr).selectors} == {"agent_worker_build_info"}
    assert set(re.findall(r"\{\{(\w+)\}\}", marks.legend)) == {"version"} == names_in(marks.expr).grouped


@pytest.mark.parametrize("name", board.BOARDS)
def test_jobs_of_worker_guard_and_page_and_instances_of_workers_can_be_chosen(name: str) -> None:
    queries = {each["name"]: each["query"] for each in board.load(name)["templating"]["list"]}
    assert all(metric in queries["job"] for metric in ("livekit_active_conversations", "call_guard_", "page_"))
    assert queries["instance"] == 'label_values(livekit_active_conversations{job=~"$job"}, instance)'
    assert board.variables(name) == {"datasource": "", "job": ".*", "instance": ".*", "window": "15m"}


def test_numbers_at_the_top_have_the_numbers_of_the_rows_that_explain_them() -> None:
    panels = board.panels("answering")
    numbers = [panel.title.split()[0] for panel in panels if panel.kind == "stat"]
    rows = [row.split(" · ")[0] for row in dict.fromkeys(panel.row for panel in panels)]
    assert numbers == rows[1:-1]


def test_variables_are_resolved_as_grafana_does() -> None:
    an_hour = TimeRange(0, 3600, scrape_interval=15)
    expr = 'rate(a{job=~"$job"}[$__rate_interval]) + increase(a[$__range]) + increase(a[$window])'
    resolved = board.resolve(expr, an_hour, board.variables("overview"))
    assert resolved == 'rate(a{job=~".*"}[60s]) + increase(a[3600s]) + increase(a[15m])'
