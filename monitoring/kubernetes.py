"""``python -m monitoring.kubernetes``: write the rules and alerts as a resource of the Prometheus operator."""

from __future__ import annotations

from pathlib import Path

import yaml  # type: ignore[import-untyped]

from monitoring.prometheus_server import CONFIG
from monitoring.rule_file import to_yaml

TARGET = Path(__file__).resolve().parent.parent / "deploy/kubernetes/components/monitoring/rules.yaml"


def render() -> str:
    """Return the resource as YAML."""
    names = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["rule_files"]
    files = [yaml.safe_load((CONFIG.parent / name).read_text(encoding="utf-8")) for name in names]
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        # kube-prometheus-stack looks for this label, with the name of its Helm release.
        "metadata": {"name": "agent-worker", "labels": {"release": "kube-prometheus-stack"}},
        "spec": {"groups": [group for file in files for group in file["groups"]]},
    }
    return to_yaml(resource, "monitoring/prometheus/rules")


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(TARGET)
