"""The rules that are generated from ``monitoring/slos.yml``."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from agent_worker.telemetry import metrics
from call_guard.metrics import GuardMetrics
from monitoring.slos import SOURCE, TARGET, load, render
from tests.monitoring.test_rules import RULES

HISTOGRAMS = {
    "call_guard_wait_seconds": GuardMetrics().wait,
    "call_guard_abandoned_seconds": GuardMetrics().abandoned,
    "livekit_response_gap_seconds": metrics.RESPONSE_GAP.labels("answer"),
    "livekit_answer_gap_seconds": metrics.ANSWER_GAP.labels("answer"),
}
THIN = re.compile("for a few turns|for a single call")


def test_committed_rules_are_those_of_the_objectives() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(load()), "run `make monitoring`"


def test_limits_are_those_of_buckets() -> None:
    limits = re.findall(r'(\w+)_bucket\{le="([\d.]+)"', SOURCE.read_text(encoding="utf-8"))
    assert limits
    for histogram, limit in limits:
        samples = [sample for family in HISTOGRAMS[histogram].collect() for sample in family.samples]
        assert limit in {sample.labels.get("le") for sample in samples}, f"{histogram} has no bucket {limit}"


def test_every_problem_of_the_objectives_is_told(tmp_path: Path) -> None:
    content = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    content["slos"][0]["objective"] = 100
    content["slos"][1]["minimun"] = 5
    content["burn_rates"][0]["long"] = "one hour"
    (tmp_path / "slos.yml").write_text(yaml.safe_dump(content))
    with pytest.raises(ValidationError) as refused:
        load(tmp_path / "slos.yml")
    assert {problem["loc"] for problem in refused.value.errors()} == {
        ("slos", 0, "objective"),
        ("slos", 1, "minimun"),
        ("burn_rates", 0, "long"),
    }


def test_limit_of_an_alert_is_the_budget_times_the_burn_rate() -> None:
    rendered = yaml.safe_load(render(load()))
    alerts = [
        rule for group in rendered["groups"] for rule in group["rules"] if rule.get("alert") == "TurnsNotAnswered"
    ]
    limits = [re.findall(r"ratio_rate(\w+)\{[^}]*\} > ([\d.]+)", alert["expr"]) for alert in alerts]
    assert limits == [
        [("15m", "0.144"), ("5m", "0.144"), ("1h", "0.144"), ("5m", "0.144"), ("6h", "0.06"), ("30m", "0.06")],
        [("1d", "0.03"), ("2h", "0.03"), ("3d", "0.01"), ("6h", "0.01")],
    ]


@pytest.mark.slow
def test_objectives_without_a_minimum_of_errors_would_not_pass(promtool: str, tmp_path: Path) -> None:
    objectives = load()
    low = objectives.model_copy(update={"slos": [slo.model_copy(update={"minimum": 0}) for slo in objectives.slos]})
    (tmp_path / "slos.yml").write_text(render(low))
    for name in ("recording.yml", "alerts.yml"):
        (tmp_path / name).write_text((RULES / name).read_text())
    tests = yaml.safe_load((RULES / "slos.test.yml").read_text())
    tests["tests"] = [one for one in tests["tests"] if THIN.search(one["name"]) and "Instance" not in one["name"]]
    assert len(tests["tests"]) == 4
    for group in tests["tests"]:
        (tmp_path / "slos.test.yml").write_text(yaml.safe_dump({**tests, "tests": [group]}))
        command = [promtool, "test", "rules", str(tmp_path / "slos.test.yml")]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 1, group["name"]
