"""The manifests in a real Kubernetes API server: it takes all of them, and enforces the standard of their pods."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import kubernetes_validate
import pytest
import pytest_asyncio

from tests.deploy.api_server import ApiServer, api_server
from tests.deploy.manifests import LIVEKIT_MONITORING, OVERLAYS, REDIS, Manifest, built, resource

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApiServer]:
    """An API server with the namespaces, and in each the account that a controller would create."""
    async with api_server(tmp_path_factory.mktemp("kubernetes")) as running:
        for folder, name in (("base", "agent-worker"), (REDIS, "livekit")):
            assert (await running.apply(resource(folder, "Namespace", name))).status == 201
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}}
            assert (await running.apply(account)).status == 201
        yield running


@pytest.mark.parametrize("name", [*OVERLAYS, REDIS, LIVEKIT_MONITORING])
async def test_every_manifest_is_accepted_without_a_warning(server: ApiServer, name: str) -> None:
    for manifest in built(name):
        answer = await server.apply(manifest)
        assert answer.status in (200, 201), (manifest["metadata"]["name"], answer)
        assert not answer.warnings, manifest["metadata"]["name"]


def pods(name: str) -> Iterator[dict[str, Any]]:
    """Yield the pods that the controllers of Deployments and CronJobs would create."""
    for owner in (each for each in built(name) if each["kind"] in ("Deployment", "CronJob")):
        spec = owner["spec"]["jobTemplate"]["spec"] if owner["kind"] == "CronJob" else owner["spec"]
        template = copy.deepcopy(spec["template"])
        metadata = {**template["metadata"], **{key: owner["metadata"][key] for key in ("name", "namespace")}}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


@pytest.mark.parametrize("name", [*OVERLAYS, REDIS])
async def test_pods_meet_the_restricted_standard(server: ApiServer, name: str) -> None:
    for pod in pods(name):
        pod["metadata"]["namespace"] = "agent-worker"  # which enforces it
        answer = await server.try_to_create(pod)
        assert answer.status == 201, answer
        assert not answer.warnings


async def test_a_pod_that_may_become_root_is_refused(server: ApiServer) -> None:
    worker = next(pods("base"))
    worker["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    answer = await server.try_to_create(worker)
    assert answer.status == 403
    assert 'violates PodSecurity "restricted' in answer.message


async def test_a_deployment_of_pods_that_would_be_refused_is_accepted_with_a_warning(server: ApiServer) -> None:
    def share_the_network_of_the_machine(spec: dict[str, Any]) -> None:
        pod_spec(spec)["hostNetwork"] = True

    deployment = changed("Deployment", "agent-page", share_the_network_of_the_machine)
    answer = await server.try_to_create({**deployment, "metadata": {**deployment["metadata"], "name": "other"}})
    assert answer.status == 201
    assert "would violate PodSecurity" in answer.warnings[0]


def changed(kind: str, name: str, change: Callable[[dict[str, Any]], object]) -> Manifest:
    """Return a manifest of the cloud overlay after ``change`` of its ``spec``."""
    manifest = copy.deepcopy(dict(resource("overlays/cloud", kind, name)))
    change(manifest["spec"])
    return manifest


def pod_spec(deployment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = deployment["template"]["spec"]
    return found


#: A mistake in each, and the API server's words for it.
MISTAKES = {
    "a volume that the pod does not have": (
        "Deployment",
        lambda spec: pod_spec(spec)["volumes"].pop(),
        'volumeMounts[2].name: Not found: "tmp"',
    ),
    "a selector of other pods": (
        "Deployment",
        lambda spec: spec["selector"]["matchLabels"].update(app="worker"),
        "`selector` does not match template `labels`",
    ),
    "a memory limit below the request": (
        "Deployment",
        lambda spec: pod_spec(spec)["containers"][0]["resources"]["limits"].update(memory="1Gi"),
        "must be less than or equal to memory limit",
    ),
    "a budget that says two things": (
        "PodDisruptionBudget",
        lambda spec: spec.update(minAvailable=1),
        "minAvailable and maxUnavailable cannot be both set",
    ),
    "a port name that is too long": (
        "Service",
        lambda spec: spec["ports"][0].update(targetPort="the-health-of-workers"),
        "must be no more than 15 characters",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_mistakes_that_the_schemas_allow_are_found(server: ApiServer, mistake: str) -> None:
    kind, change, message = MISTAKES[mistake]
    manifest = changed(kind, "agent-worker", change)
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
    answer = await server.apply(manifest)
    assert answer.status == 422
    assert message in answer.message


async def test_a_duration_that_prometheus_does_not_read_is_found(server: ApiServer) -> None:
    rules = changed("PrometheusRule", "agent-worker", lambda spec: spec["groups"][0].update(interval="5 minutes"))
    answer = await server.apply(rules)  # of TypeScript's type: a string
    assert answer.status == 422
    assert "spec.groups[0].interval" in answer.message


async def test_an_unknown_field_is_refused(server: ApiServer) -> None:
    scaled = changed("ScaledObject", "agent-worker", lambda spec: spec.update(maxReplicas=125))
    assert ".spec.maxReplicas: field not declared in schema" in (await server.apply(scaled)).message
