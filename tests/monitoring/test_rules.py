from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.prometheus_server import CONFIG
from monitoring.slos import load as load_slos
from monitoring.slos import runbook_url
from tests.monitoring.known import labels_of
from tests.monitoring.promql import names_in

ROOT = Path(__file__).parent.parent.parent
RULES = CONFIG.parent / "rules"
GUARD = re.compile(r"\n +and on [^\n]*>= \d+", re.MULTILINE)


def load(name: str) -> Any:
    return yaml.safe_load((RULES / name).read_text())


def rules(name: str) -> list[dict[str, Any]]:
    return [rule for group in load(name)["groups"] for rule in group["rules"]]


SLOS = rules("slos.yml")
ALERTS = [*rules("alerts.yml"), *(rule for rule in SLOS if "alert" in rule)]
RECORDED = [*rules("recording.yml"), *(rule for rule in SLOS if "record" in rule)]
RUNBOOKS = ROOT / "docs" / "runbooks.md"
SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
GUARDED = [alert["alert"] for alert in rules("alerts.yml") if GUARD.search("\n " + alert["expr"].replace("\n", "\n "))]


def run(promtool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_prometheus_accepts_the_configuration_and_its_rules(promtool: str) -> None:
    checked = run(promtool, "check", "config", CONFIG)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.slow
def test_rules_do_what_their_tests_say(promtool: str) -> None:
    tested = run(promtool, "test", "rules", *RULES.glob("*.test.yml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.slow
@pytest.mark.parametrize("alert", GUARDED)
def test_alert_without_its_guard_against_thin_traffic_would_not_pass(promtool: str, alert: str, tmp_path: Path) -> None:
    before, rest = (RULES / "alerts.yml").read_text().split(f"- alert: {alert}\n")
    (tmp_path / "alerts.yml").write_text(f"{before}- alert: {alert}\n{GUARD.sub('', rest, count=1)}")
    (tmp_path / "recording.yml").write_text((RULES / "recording.yml").read_text())
    tests = load("alerts.test.yml")
    tests["rule_files"] = ["recording.yml", "alerts.yml"]  # the objectives would take longer than all others
    tests["tests"] = [group for group in tests["tests"] if alert in group["name"]]
    (tmp_path / "alerts.test.yml").write_text(yaml.safe_dump(tests))
    tested = run(promtool, "test", "rules", tmp_path / "alerts.test.yml")
    assert tested.returncode == 1
    assert alert in tested.stdout + tested.stderr


def test_all_alerts_but_those_that_need_none_have_a_guard() -> None:
    assert {alert["alert"] for alert in rules("alerts.yml")} - set(GUARDED) == {
        *("AgentMetricsDown", "AgentMetricsMissing", "CallGuardDown", "LiveKitNodeDown", "LiveKitUnreachable"),
        *("CanaryFailing", "CanarySilent"),
        *("AgentsDie", "CallerWaitsForAgent", "PageLimitsReached"),
        *("AutoscalerAtMaximum", "NoFreeSlots", "NoWorkerRegistered", "PageDown", "RedisDown"),
    }


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alert_fires_and_is_silent_in_its_tests(alert: dict[str, Any]) -> None:
    groups = [*load("alerts.test.yml")["tests"], *load("slos.test.yml")["tests"]]
    name = re.compile(rf'alertname="{alert["alert"]}"')
    fired = [bool(name.search(str(one["exp_samples"]))) for group in groups for one in group["promql_expr_test"]]
    assert any(fired)
    assert not all(fired)
    assert any(alert["alert"] in group["name"] for group in groups)


@pytest.mark.parametrize("rule", RECORDED, ids=lambda rule: f"{rule['record']} {rule.get('labels', '')}")
def test_recording_rule_has_a_test(rule: dict[str, Any]) -> None:
    tested = [one["expr"] for group in load("recording.test.yml")["tests"] for one in group["promql_expr_test"]]
    tested += [one["expr"] for group in load("slos.test.yml")["tests"] for one in group["promql_expr_test"]]
    tested += [alert["expr"] for alert in ALERTS]  # which have tests themselves
    used = [one["expr"] for one in RECORDED if "slo" in one.get("labels", {})]
    assert any(rule["record"] in expr for expr in (*tested, *used))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alert_has_a_severity_a_summary_and_a_remedy(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("warning", "critical")
    assert re.fullmatch(r"\d+m", alert["for"])
    assert alert["annotations"]["summary"]
    assert re.search(r"\b(look|compare|check|find)\b", alert["annotations"]["description"], re.IGNORECASE)
    assert f"`{alert['alert']}`" in (ROOT / "docs" / "monitoring.md").read_text()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alert_links_to_its_runbook_with_first_look_causes_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["annotations"]["runbook_url"] == runbook_url(load_slos().runbooks, alert["alert"])
    sections = dict(SECTION.findall(RUNBOOKS.read_text()))
    for part in ("**First look.**", "**Likely causes.**", "**What to do.**"):
        assert part in sections[alert["alert"]]


def test_every_runbook_is_that_of_an_alert() -> None:
    assert {name for name, _ in SECTION.findall(RUNBOOKS.read_text())} == {alert["alert"] for alert in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_annotations_name_only_labels_that_the_alert_has(alert: dict[str, Any]) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(alert["annotations"].values())))
    first = names_in(alert["expr"]).selectors[0].metric
    kept: set[str] = set() if "absent" in alert["expr"] else labels_of(first) or set()
    assert named <= kept


@pytest.mark.parametrize("rule", [*RECORDED, *ALERTS], ids=lambda rule: rule.get("record") or rule["alert"])
def test_every_metric_and_label_of_a_rule_exists(rule: dict[str, Any]) -> None:
    names = names_in(rule["expr"])
    known = labels_of(rule["record"]) or set() if "record" in rule else set()
    for selector in names.selectors:
        labels = labels_of(selector.metric)
        assert labels is not None, f"no metric {selector.metric}"
        if ":" in selector.metric:
            assert selector.metric in {one["record"] for one in RECORDED}
        assert set(selector.matchers) <= labels
        known |= labels
    assert names.grouped <= known


def test_recorded_series_have_the_labels_that_their_name_tells() -> None:
    for group in load("recording.test.yml")["tests"]:
        for one in group["promql_expr_test"]:
            for sample in one["exp_samples"]:
                metric, _, labels = sample["labels"].partition("{")
                if metric:
                    assert set(re.findall(r"(\w+)=", labels)) == labels_of(metric)
