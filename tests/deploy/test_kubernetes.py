"""Consistency of the manifests, and their guarantees: calls may end, no secrets, no root."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_worker.core.settings import CloudSettings, SelfHostedSettings
from agent_worker.lifecycle.worker_status import ALIVE_PATH, READY_PATH, STARTED_PATH
from call_guard.settings import GuardSettings
from caller.canary.settings import CanarySettings
from caller.canary.trial import MAX_CALL_S
from monitoring.kubernetes import TARGET, render
from page_server.settings import PageSettings
from testbed.services import ROOT
from tests.deploy.manifests import (
    LIVEKIT_MONITORING,
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
CALLS = 500
"""At once, that the manifests are sized for: docs/kubernetes.md has the sums."""
FULL_WORKER_GIB = 1.8
"""What a worker with eight calls took at most."""
LIVEKIT_CORES_OF_A_CALL = 0.011
LIVEKIT_GIB_OF_A_CALL = 8.7e6 / 2**30
LIVEKIT_IDLE_GIB = 0.1
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
def test_rollout_stops_at_a_worker_that_livekit_does_not_know(name: str) -> None:
    (worker,) = (each for each in containers(pod(name, "agent-worker")) if each["name"] == "worker")
    asked = {probe: worker[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")}
    assert asked == {"startup": STARTED_PATH, "readiness": READY_PATH, "liveness": ALIVE_PATH}


@WORKERS
def test_worker_and_agent_metrics_share_the_metrics_folder_within_their_pod_only(name: str) -> None:
    spec = pod(name, "agent-worker")
    folders = {volume["name"]: volume for volume in spec["volumes"]}
    for container in containers(spec):
        (path,) = (each["value"] for each in container["env"] if each["name"] == "PROMETHEUS_MULTIPROC_DIR")
        # Not the volume itself, which `fsGroup` makes writable by the group: agent-metrics refuses that.
        (mount,) = (each for each in container["volumeMounts"] if each["mountPath"] == str(Path(path).parent))
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
def test_health_of_the_page_is_asked_on_a_port_that_its_service_does_not_have(name: str) -> None:
    (page,) = pod(name, "agent-page")["containers"]
    ports = {port["name"]: port["containerPort"] for port in page["ports"]}
    probed = {page[kind]["httpGet"]["port"] for kind in ("readinessProbe", "livenessProbe")}
    assert {"name": "PAGE_HEALTH_PORT", "value": str(ports["health"])} in page["env"]
    assert probed == {"health"}
    served = {port["targetPort"] for port in resource(name, "Service", "agent-page")["spec"]["ports"]}
    assert not served & probed


@WORKERS
def test_no_token_outlives_the_room_that_the_page_made_for_its_call(name: str) -> None:
    assert values()["livekit"]["room"]["auto_create"] is False
    assert settings(name, "agent-worker")["WORKER_PAGE_ROOMS_ONLY"] == "true"


@WORKERS
def test_page_believes_forwarded_addresses_from_a_network_of_the_cluster_only(name: str) -> None:
    (network,) = settings(name, "agent-page")["FORWARDED_ALLOW_IPS"].split(",")
    assert ipaddress.ip_network(network).is_private


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


@WORKERS
def test_pods_accept_only_the_connections_that_their_policies_list(name: str) -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in built(name) if each["kind"] == "NetworkPolicy"}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for deployment in (each for each in built(name) if each["kind"] == "Deployment"):
        template = deployment["spec"]["template"]
        ports = {port["name"] for each in containers(template["spec"]) for port in each["ports"]}
        policy = policies[deployment["metadata"]["name"]]
        assert policy["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        for ingress in policy["ingress"]:
            assert {port["port"] for port in ingress["ports"]} <= ports
    metrics, slots = policies["agent-worker"]["ingress"]
    (askers,) = slots["from"][0]["podSelector"]["matchExpressions"]
    assert set(askers["values"]) == {"agent-page", "agent-guard"}
    assert metrics["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    prometheus = resource(name, "ScaledObject", "agent-worker")["spec"]["triggers"][0] if name in OVERLAYS[1:] else None
    assert prometheus is None or ".monitoring.svc" in prometheus["metadata"]["serverAddress"]


@WORKERS
def test_no_pod_reaches_the_clouds_service_of_credentials(name: str) -> None:
    for policy in (each["spec"] for each in built(name) if each["kind"] == "NetworkPolicy"):
        for rule in policy.get("egress", ()):
            blocks = [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]
            assert {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]} in blocks
            assert all(block["except"] for block in blocks)


def test_redis_is_reached_from_the_cluster_only_and_with_a_password() -> None:
    policy = resource(REDIS, "NetworkPolicy", "redis")["spec"]
    (ingress,) = policy["ingress"]
    assert [*ingress["from"][0]] == ["ipBlock"]
    assert resource(REDIS, "NetworkPolicy", "default-deny")["spec"]["policyTypes"] == ["Ingress"]
    (redis,) = pod(REDIS, "redis")["containers"]
    for variable in redis["env"]:
        assert variable["valueFrom"] == {"secretKeyRef": {"name": "redis", "key": "password"}}


def test_metrics_of_livekit_ask_for_the_password_that_prometheus_sends() -> None:
    chart = values()["livekit"]
    assert chart["prometheus"]["username"]
    (endpoint,) = resource(LIVEKIT_MONITORING, "PodMonitor", "livekit")["spec"]["podMetricsEndpoints"]
    assert {each["name"] for each in endpoint["basicAuth"].values()} == {"livekit-metrics"}


def test_no_documented_command_has_a_secret_among_its_arguments() -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    for page in pages:
        for line in page.read_text().splitlines():
            assert not re.search(r"--from-literal=\S*(PASSWORD|SECRET|KEY|keys)|--set \S*(password|secret)", line), line


@SCALED
def test_autoscaler_adds_workers_before_the_running_ones_are_full(name: str) -> None:
    scaled = resource(name, "ScaledObject", "agent-worker")
    (trigger,) = scaled["spec"]["triggers"]
    assert int(trigger["metadata"]["threshold"]) <= 0.7 * int(settings(name, "agent-worker")["WORKER_MAX_CALLS"])
    assert scaled["spec"]["scaleTargetRef"]["name"] == "agent-worker"
    assert f'namespace="{scaled["metadata"]["namespace"]}"' in trigger["metadata"]["query"]
    assert "replicas" not in resource(name, "Deployment", "agent-worker")["spec"]


def test_autoscaler_has_a_quarter_more_workers_than_500_calls_need() -> None:
    scaled = resource("overlays/cloud", "ScaledObject", "agent-worker")["spec"]
    assert scaled["maxReplicaCount"] * int(scaled["triggers"][0]["metadata"]["threshold"]) >= 1.25 * CALLS


@WORKERS
def test_worker_prepares_processes_for_the_cores_that_it_requests(name: str) -> None:
    (worker,) = pod(name, "agent-worker")["containers"]
    assert {"name": "NUM_CPUS", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu"}}} in worker["env"]


@WORKERS
def test_two_calls_that_take_too_much_memory_do_not_end_the_others(name: str) -> None:
    (worker,) = pod(name, "agent-worker")["containers"]
    request, limit = memory_gib(worker["resources"])
    assert request >= FULL_WORKER_GIB
    assert limit >= request + 2 * int(settings(name, "agent-worker")["CALL_MEMORY_LIMIT_MB"]) / 1024


@pytest.mark.parametrize("name", [*OVERLAYS, REDIS])
def test_every_machine_can_be_emptied(name: str) -> None:
    budgets = [each["spec"] for each in built(name) if each["kind"] == "PodDisruptionBudget"]
    assert budgets
    for budget in budgets:
        assert budget["maxUnavailable"] in (1, "10%")  # rounded up: never none
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_livekits_budget_is_for_the_nodes_that_prometheus_scrapes() -> None:
    budget = resource(REDIS, "PodDisruptionBudget", "livekit")["spec"]
    assert budget["selector"] == resource(LIVEKIT_MONITORING, "PodMonitor", "livekit")["spec"]["selector"]
    assert values()["replicaCount"] > budget["maxUnavailable"]


@WORKERS
def test_two_replicas_run_on_two_machines_where_there_are_two(name: str) -> None:
    for deployment in ("agent-worker", "agent-page", "agent-guard"):
        (spread,) = pod(name, deployment)["topologySpreadConstraints"]
        assert spread["topologyKey"] == "kubernetes.io/hostname"
        assert spread["labelSelector"] == resource(name, "Deployment", deployment)["spec"]["selector"]


def test_two_of_the_livekit_nodes_carry_all_calls() -> None:
    calls, resources = CALLS / (values()["replicaCount"] - 1), values()["resources"]
    request, limit = memory_gib(resources)
    assert int(resources["requests"]["cpu"]) * 0.7 >= calls * LIVEKIT_CORES_OF_A_CALL
    assert request >= LIVEKIT_IDLE_GIB + calls * LIVEKIT_GIB_OF_A_CALL
    assert limit >= LIVEKIT_IDLE_GIB + CALLS * LIVEKIT_GIB_OF_A_CALL  # not even the last node ends for its memory


def memory_gib(resources: Manifest) -> tuple[float, float]:
    """Return request and limit."""
    request, limit = (float(resources[each]["memory"].removesuffix("Gi")) for each in ("requests", "limits"))
    return request, limit


@WORKERS
def test_settings_are_known_to_the_program(name: str) -> None:
    known = {field.upper() for each in (CloudSettings, SelfHostedSettings) for field in each.model_fields}
    assert set(settings(name, "agent-worker")) <= known
    (page,) = pod(name, "agent-page")["containers"]
    given = {each["name"] for each in page["env"]} | set(settings(name, "agent-page"))
    assert given <= {field.upper() for field in PageSettings.model_fields}
    (guard,) = pod(name, "agent-guard")["containers"]
    given = {each["name"] for each in guard["env"]} | set(settings(name, "agent-guard"))
    assert given <= {field.upper() for field in GuardSettings.model_fields}


@WORKERS
def test_guard_requests_agents_only_for_rooms_that_the_workers_accept(name: str) -> None:
    guard, worker = settings(name, "agent-guard"), settings(name, "agent-worker")
    assert guard["GUARD_PAGE_ROOMS_ONLY"] == worker["WORKER_PAGE_ROOMS_ONLY"]


@WORKERS
def test_page_and_guard_ask_every_worker_for_its_free_slots(name: str) -> None:
    service = resource(name, "Service", "agent-worker")["spec"]
    (port,) = service["ports"]
    assert service["clusterIP"] == "None"  # one address for each pod
    for asker in ("agent-page", "agent-guard"):
        assert settings(name, asker)["WORKER_URLS"] == f"http://agent-worker:{port['port']}"


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


@SCALED
def test_canary_calls_often_enough_for_its_alerts_and_never_twice_at_once(name: str) -> None:
    spec = resource(name, "CronJob", "agent-canary")["spec"]
    minutes = re.fullmatch(r"\*/(\d+) \* \* \* \*", spec["schedule"])
    assert minutes
    (alert,) = (rule for rule in rules_of(name) if rule.get("alert") == "CanarySilent")
    assert 2 * 60 * int(minutes[1]) < int(alert["expr"].rpartition("> ")[2])
    assert spec["concurrencyPolicy"] == "Forbid"
    job = spec["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    assert job["activeDeadlineSeconds"] > MAX_CALL_S + SHUTDOWN_MARGIN_S
    assert 60 * int(minutes[1]) > job["activeDeadlineSeconds"]


def rules_of(name: str) -> list[Manifest]:
    groups = resource(name, "PrometheusRule", "agent-worker")["spec"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


@SCALED
def test_canary_runs_without_privileges_and_without_a_providers_key(name: str) -> None:
    spec = resource(name, "CronJob", "agent-canary")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    worker = pod(name, "agent-guard")
    assert spec["securityContext"] == worker["securityContext"]
    assert not spec["automountServiceAccountToken"]
    (canary,) = spec["containers"]
    assert canary["securityContext"] == worker["containers"][0]["securityContext"]
    assert canary["image"] == worker["containers"][0]["image"]
    assert canary["command"] == ["python", "-m", "caller.canary"]
    assert {each["name"] for each in canary["env"]} == {"LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"}
    given = {each["name"] for each in canary["env"]} | set(settings(name, "agent-canary"))
    assert given <= {field.upper() for field in CanarySettings.model_fields}
    assert not any("secretRef" in source for source in canary["envFrom"])


@SCALED
def test_canary_reaches_livekit_and_the_pushgateway(name: str) -> None:
    told = settings(name, "agent-canary")
    assert told["LIVEKIT_URL"] == settings(name, "agent-worker")["LIVEKIT_URL"]
    (port,) = resource(name, "Service", "agent-pushgateway")["spec"]["ports"]
    assert told["CANARY_PUSHGATEWAY_URL"] == f"http://agent-pushgateway:{port['port']}"
    labels = resource(name, "CronJob", "agent-canary")["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    policies = {each["metadata"]["name"]: each["spec"] for each in built(name) if each["kind"] == "NetworkPolicy"}
    assert policies["agent-canary"]["podSelector"]["matchLabels"].items() <= labels.items()
    peer = policies["agent-pushgateway"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"]
    assert peer.items() <= labels.items()


@SCALED
def test_result_of_the_canary_keeps_its_job(name: str) -> None:
    (endpoint,) = resource(name, "PodMonitor", "agent-pushgateway")["spec"]["podMetricsEndpoints"]
    assert endpoint["honorLabels"] is True
