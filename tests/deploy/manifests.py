"""The Kubernetes manifests as kustomize builds them from each folder."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from testbed.services import ROOT
from tests.tools import require_binary

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("base", "overlays/cloud", "overlays/self-hosted")
REDIS = "livekit/redis"
LIVEKIT_MONITORING = "livekit/monitoring"
Manifest = Mapping[str, Any]


@functools.cache
def built(name: str) -> list[Manifest]:
    done = subprocess.run(
        [require_binary("kustomize"), "build", str(FOLDER / name)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def resource(name: str, kind: str, resource_name: str) -> Manifest:
    (found,) = (each for each in built(name) if each["kind"] == kind and each["metadata"]["name"] == resource_name)
    return found


def pod(name: str, deployment: str) -> Manifest:
    spec: Manifest = resource(name, "Deployment", deployment)["spec"]["template"]["spec"]
    return spec


def containers(spec: Manifest) -> Iterator[Manifest]:
    yield from spec.get("initContainers", ())
    yield from spec["containers"]


def settings(name: str, config_map: str) -> Mapping[str, str]:
    """Return the data of a generated ConfigMap; a hash of its content is appended to its name."""
    (found,) = (
        each
        for each in built(name)
        if each["kind"] == "ConfigMap" and each["metadata"]["name"].startswith(f"{config_map}-")
    )
    data: Mapping[str, str] = found["data"]
    return data


def values() -> Manifest:
    """Return the values for LiveKit's Helm chart."""
    loaded: Manifest = yaml.safe_load((FOLDER / "livekit" / "values.yaml").read_text())
    return loaded


def sources() -> Iterator[Path]:
    yield from FOLDER.rglob("*.yaml")
