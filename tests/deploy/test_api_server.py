"""The manifests in a real Kubernetes API server: it takes all of them, and enforces the security standard of their pods."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.deploy.api_server import ApiServer, api_server
from tests.deploy.manifests import LIVEKIT_MONITORING, OVERLAYS, REDIS, Manifest, built, resource

NAMESPACES = ("agent-worker", "livekit")

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
    """Yield the pods that the controllers of the Deployments would create."""
    for deployment in (each for each in built(name) if each["kind"] == "Deployment"):
        template = copy.deepcopy(deployment["spec"]["template"])
        metadata = {**template["metadata"], **{key: deployment["metadata"][key] for key in ("name", "namespace")}}
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


def worker(**changes: Any) -> Manifest:
    deployment = copy.deepcopy(dict(resource("base", "Deployment", "agent-worker")))
    deployment["spec"] |= changes
    return deployment
