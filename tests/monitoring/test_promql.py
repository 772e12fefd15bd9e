from __future__ import annotations

from tests.monitoring.promql import names_in


def test_metrics_labels_and_groups_are_told_apart() -> None:
    query = (
        'histogram_quantile(0.95, sum by (role, le) (rate(a_bucket{job=~"$job", role="main"}[$window]))) * 60'
        " / scalar(sum(increase(b_total[15m])) > 0) and on (job) job:c:ratio15m offset 1h"
    )
    names = names_in(query)
    assert [(one.metric, one.matchers) for one in names.selectors] == [
        ("a_bucket", {"job": "$job", "role": "main"}),
        ("b_total", {}),
        ("job:c:ratio15m", {}),
    ]
    assert names.grouped == {"role", "le", "job"}


def test_selector_without_a_name_is_found() -> None:
    (one,) = names_in('sum by (__name__) ({__name__=~"agent_metrics_.+", job="j"})').selectors
    assert (one.metric, one.matchers["__name__"]) == ("", "agent_metrics_.+")
