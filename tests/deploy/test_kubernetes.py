"""Consistency of the manifests, and their guarantees: calls may end, no secrets, no root."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from agent_worker.core.settings import CloudSettings, SelfHostedSettings
from monitoring.kubernetes import TARGET, render
from page_server.settings import PageSettings
from testbed.services import ROOT
from tests.deploy.manifests import (
    OVERLAYS,
    REDIS,
    Manifest,
    built,
    containers,
    pod,
    resource,
    settings,
    sources,
    values,
)

WORKERS = pytest.mark.parametrize("name", OVERLAYS)
SCALED = pytest.mark.parametrize("name", OVERLAYS[1:])
SHUTDOWN_MARGIN_S = 30
"""After the drain timeout the processes of calls and the sidecar still have to end."""

pytestmark = pytest.mark.slow


@WORKERS
def test_termination_grace_period_is_longer_than_the_workers_drain_timeout(name: str) -> None:
    grace = pod(name, "agent-worker")["terminationGracePeriodSeconds"]
    assert grace >= int(settings(name, "agent-worker")["WORKER_DRAIN_TIMEOUT"]) + SHUTDOWN_MARGIN_S


@WORKERS
def test_rollout_keeps_each_worker_until_a_new_one_is_ready(name: str) -> None:
    deployment = resource(name, "Deployment", "agent-worker")
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@WORKERS
def test_worker_and_agent_metrics_share_the_metrics_folder_within_their_pod_only(name: str) -> None:
    spec = pod(name, "agent-worker")
    folders = {volume["name"]: volume for volume in spec["volumes"]}
    for container in containers(spec):
        (path,) = (each["value"] for each in container["env"] if each["name"] == "PROMETHEUS_MULTIPROC_DIR")
        (mount,) = (each for each in container["volumeMounts"] if each["mountPath"] == path)
        assert "emptyDir" in folders[mount["name"]]


@WORKERS
def test_agent_metrics_starts_before_the_worker_and_ends_after_it(name: str) -> None:
    (sidecar,) = pod(name, "agent-worker")["initContainers"]
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["command"][-1] == "agent_metrics"


@WORKERS
def test_only_agent_metrics_serves_metrics_whatever_the_image_sets(name: str) -> None:
    (worker,) = pod(name, "agent-worker")["containers"]
    assert {"name": "METRICS_PORT", "value": ""} in worker["env"]


@pytest.mark.parametrize("name", [*OVERLAYS, REDIS])
def test_containers_run_without_privileges(name: str) -> None:
    for deployment in (each for each in built(name) if each["kind"] == "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not spec["automountServiceAccountToken"]
        assert not any("hostPath" in volume for volume in spec.get("volumes", ()))
        for container in containers(spec):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("name", [*OVERLAYS, REDIS])
def test_probes_use_ports_of_their_container(name: str) -> None:
    for deployment in (each for each in built(name) if each["kind"] == "Deployment"):
        for container in containers(deployment["spec"]["template"]["spec"]):
            ports = {port["name"] for port in container["ports"]}
            probes = [
                container[kind] for kind in ("startupProbe", "readinessProbe", "livenessProbe") if kind in container
            ]
            assert probes
            for probe in probes:
                asked = probe.get("httpGet") or probe.get("tcpSocket")
                assert asked is None or asked["port"] in ports


@WORKERS
def test_selectors_of_services_monitors_and_budgets_match_pods(name: str) -> None:
    pods = [each["spec"]["template"] for each in built(name) if each["kind"] == "Deployment"]
    for manifest in built(name):
        if manifest["kind"] not in ("Service", "PodMonitor", "PodDisruptionBudget"):
            continue
        selector = manifest["spec"]["selector"]
        labels = selector.get("matchLabels", selector)
        (found,) = (each for each in pods if labels.items() <= each["metadata"]["labels"].items())
        ports = {port["name"] for each in containers(found["spec"]) for port in each["ports"]}
        wanted = {port["targetPort"] for port in manifest["spec"].get("ports", ())}
        wanted |= {end["port"] for end in manifest["spec"].get("podMetricsEndpoints", ())}
        assert wanted <= ports


@SCALED
def test_autoscaler_adds_workers_before_the_running_ones_are_full(name: str) -> None:
    scaled = resource(name, "ScaledObject", "agent-worker")
    (trigger,) = scaled["spec"]["triggers"]
    assert int(trigger["metadata"]["threshold"]) <= 0.7 * int(settings(name, "agent-worker")["WORKER_MAX_CALLS"])
    assert scaled["spec"]["scaleTargetRef"]["name"] == "agent-worker"
    assert f'namespace="{scaled["metadata"]["namespace"]}"' in trigger["metadata"]["query"]
    assert "replicas" not in resource(name, "Deployment", "agent-worker")["spec"]


@WORKERS
def test_settings_are_known_to_the_program(name: str) -> None:
    known = {field.upper() for each in (CloudSettings, SelfHostedSettings) for field in each.model_fields}
    assert set(settings(name, "agent-worker")) <= known
    (page,) = pod(name, "agent-page")["containers"]
    given = {each["name"] for each in page["env"]} | set(settings(name, "agent-page"))
    assert given <= {field.upper() for field in PageSettings.model_fields}


@WORKERS
def test_script_of_the_worker_exists(name: str) -> None:
    (worker,) = pod(name, "agent-worker")["containers"]
    assert (ROOT / worker["args"][0]).is_file()


@WORKERS
def test_secrets_are_referenced_and_not_contained(name: str) -> None:
    assert not [each for each in built(name) if each["kind"] == "Secret"]
    page = pod(name, "agent-page")["containers"][0]
    given = [each for each in page["env"] if "secretKeyRef" in each.get("valueFrom", {})]
    assert {each["name"] for each in given} == {"LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "PAGE_PASSWORD"}
    assert all("secretRef" not in source for source in page["envFrom"])  # no provider's key


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string with its key."""
    for inner_key, inner in value.items() if isinstance(value, dict) else ():
        yield from strings(inner, inner_key)
    for inner in value if isinstance(value, list) else ():
        yield from strings(inner, key)
    if isinstance(value, str):
        yield key, value


def test_no_file_contains_a_key_or_a_password() -> None:
    documents = [document for path in sources() for document in yaml.safe_load_all(path.read_text())]
    for key, value in strings(documents):
        assert not re.fullmatch(r"password|secret|token|api_?key", key, re.IGNORECASE), key
        assert not re.search(r"_(KEY|SECRET|PASSWORD)=.", value), value


def test_rules_are_those_of_prometheus() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(), "run `make monitoring`"


def test_workers_and_livekit_find_each_other_and_redis() -> None:
    chart = values()
    livekit = f"{chart['fullnameOverride']}.{resource(REDIS, 'Namespace', 'livekit')['metadata']['name']}.svc"
    for name in OVERLAYS:
        assert settings(name, "agent-worker")["LIVEKIT_URL"] == f"ws://{livekit}"
        assert settings(name, "agent-page")["LIVEKIT_URL"] == f"ws://{livekit}"
    service: Manifest = resource(REDIS, "Service", "redis")
    (port,) = service["spec"]["ports"]
    assert chart["livekit"]["redis"]["address"] == f"redis.{service['metadata']['namespace']}.svc:{port['port']}"
