"""Validation of the manifests against the schemas of Kubernetes and of the custom resources, without a cluster."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest

from agent_worker.core.folders import cache_dir
from tests.deploy.manifests import LIVEKIT_MONITORING, OVERLAYS, REDIS, Manifest, built

#: The oldest with sidecars switched on by default, and the newest that there are schemas for.
VERSIONS = ("1.29", "1.33", kubernetes_validate.latest_version())
#: The module that has the type of each custom resource.
TYPES = {
    "ScaledObject": "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject",
    "PodMonitor": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor",
    "PrometheusRule": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule",
}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [*OVERLAYS, REDIS])
def test_every_manifest_is_valid_for_kubernetes(name: str, version: str) -> None:
    for manifest in built(name):
        if manifest["kind"] not in TYPES:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_field_would_be_found() -> None:
    (deployment,) = (each for each in built(REDIS) if each["kind"] == "Deployment")
    deployment = json.loads(json.dumps(deployment))
    deployment["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[-1], strict=True)


def type_errors(manifests: list[Manifest], folder: Path) -> str:
    """TypeScript takes an object literal only if all its fields are of the type, and none is missing."""
    tools = cache_dir() / "kubernetes-types"
    if not (tools / "node_modules" / ".bin" / "tsc").exists():
        pytest.skip("no types of KEDA and the Prometheus operator: run `make kubernetes-types`")
    lines = [
        f'export const m{i}: import("{TYPES[each["kind"]]}").I{each["kind"]} = {json.dumps(each)};'
        for i, each in enumerate(manifests)
    ]
    (folder / "manifests.ts").write_text("\n".join(lines))
    options = {"noEmit": True, "strict": True, "skipLibCheck": True, "module": "nodenext", "types": []}
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["manifests.ts"]}))
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(tools / "node_modules")
    command = [str(tools / "node_modules" / ".bin" / "tsc"), "--project", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_every_custom_resource_is_of_its_type(tmp_path: Path) -> None:
    manifests = [each for name in (*OVERLAYS, LIVEKIT_MONITORING) for each in built(name) if each["kind"] in TYPES]
    assert {each["kind"] for each in manifests} == set(TYPES)
    assert type_errors(manifests, tmp_path) == ""


def test_a_wrong_field_of_a_custom_resource_would_be_found(tmp_path: Path) -> None:
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "spec": {"selector": {}, "podMetricsEndpoints": [{"prot": "metrics"}]},
    }
    assert "'\"prot\"' does not exist" in type_errors([manifest], tmp_path)
