"""A Kubernetes API server with etcd on loopback: it checks and stores manifests, and no pod starts."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import trustme
import yaml

from agent_worker.core.folders import cache_dir
from testbed.processes import free_port, poll
from testbed.services import Service, running
from tests.deploy.manifests import Manifest
from tests.tools import require_binary

#: The definitions of the custom resources, as KEDA and the Prometheus operator publish them.
CUSTOM_RESOURCES = cache_dir() / "custom-resources"
_TOKEN = "token-of-a-test"
_START_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Answer:
    """What the API server says to a manifest.

    Attributes:
        status: HTTP status; 200 or 201 if it is accepted.
        message: Why not; empty if it is accepted.
        warnings: Of fields that are deprecated, and pods that a namespace would refuse.
    """

    status: int
    message: str
    warnings: tuple[str, ...]


class ApiServer:
    """A client of the API server.

    Args:
        http: Sends the token of an administrator.
    """

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._resources: dict[tuple[str, str], Mapping[str, Any]] = {}

    async def is_ready(self) -> bool:
        """Whether it accepts manifests."""
        async with self._http.get("/readyz") as response:
            return response.status == 200

    async def apply(self, manifest: Manifest) -> Answer:
        """Apply a manifest as ``kubectl apply --server-side --validate=strict`` does."""
        path = f"{await self._path(manifest)}/{manifest['metadata']['name']}"
        return await self._send("PATCH", path, manifest, "application/apply-patch+yaml", fieldManager="test")

    async def try_to_create(self, manifest: Manifest) -> Answer:
        """Create an object without storing it."""
        return await self._send("POST", await self._path(manifest), manifest, "application/json", dryRun="All")

    async def is_established(self, definition: Manifest) -> bool:
        """Whether the server takes objects of a CustomResourceDefinition."""
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition['metadata']['name']}"
        async with self._http.get(path) as response:
            conditions = (await response.json())["status"]["conditions"] or ()
        return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)

    async def _path(self, manifest: Manifest) -> str:
        resource = await self._resource(manifest["apiVersion"], manifest["kind"])
        namespace = f"/namespaces/{manifest['metadata']['namespace']}" if resource["namespaced"] else ""
        return f"{_api(manifest['apiVersion'])}{namespace}/{resource['name']}"

    async def _resource(self, version: str, kind: str) -> Mapping[str, Any]:
        if (version, kind) not in self._resources:
            async with self._http.get(_api(version), raise_for_status=True) as response:
                for each in (await response.json())["resources"]:
                    if "/" not in each["name"]:  # no subresource, such as pods/log
                        self._resources[version, each["kind"]] = each
        return self._resources[version, kind]

    async def _send(self, method: str, path: str, manifest: Manifest, media_type: str, **query: str) -> Answer:
        async with self._http.request(
            method,
            path,
            data=json.dumps(manifest),
            headers={"Content-Type": media_type},
            params={"fieldValidation": "Strict", **query},
        ) as response:
            message = "" if response.ok else (await response.json())["message"]
            return Answer(response.status, message, tuple(response.headers.getall("Warning", ())))


def _api(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


@contextlib.asynccontextmanager
async def api_server(folder: Path) -> AsyncIterator[ApiServer]:
    """Run etcd and an API server that knows the custom resources; skip the test where they are missing.

    Args:
        folder: For data, keys and logs.
    """
    port = free_port()
    authority = _write_keys(folder)
    async with running([_etcd(etcd := free_port(), folder), _kube_apiserver(port, etcd, folder)], folder):
        context = ssl.create_default_context()
        authority.configure_trust(context)
        async with aiohttp.ClientSession(
            f"https://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {_TOKEN}"},
            connector=aiohttp.TCPConnector(ssl=context),
        ) as http:
            server = ApiServer(http)
            await poll(server.is_ready)
            for definition in _definitions():
                answer = await server.apply(definition)
                assert answer.status < 300, answer
                await poll(lambda each=definition: server.is_established(each))
            yield server


def _write_keys(folder: Path) -> trustme.CA:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    (folder / "tokens.csv").write_text(f"{_TOKEN},admin,admin,system:masters\n")
    return authority


def _definitions() -> list[Manifest]:
    return [yaml.safe_load(path.read_text()) for path in sorted(CUSTOM_RESOURCES.glob("*.yaml"))]


def _etcd(port: int, folder: Path) -> Service:
    url, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    arguments = {
        "data-dir": folder / "etcd",
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
        "unsafe-no-fsync": "true",
    }
    return Service("etcd", [require_binary("etcd"), *_flags(arguments)], 60, ready_url=f"{url}/health")


def _kube_apiserver(port: int, etcd: int, folder: Path) -> Service:
    arguments = {
        "etcd-servers": f"http://127.0.0.1:{etcd}",
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "tls-cert-file": folder / "certificate.pem",
        "tls-private-key-file": folder / "key.pem",
        "token-auth-file": folder / "tokens.csv",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": folder / "certificate.pem",
        "service-account-signing-key-file": folder / "key.pem",
        "service-cluster-ip-range": "10.96.0.0/16",
        "authorization-mode": "RBAC",
    }
    command = [require_binary("kube-apiserver"), *_flags(arguments)]
    return Service("kube-apiserver", command, _START_TIMEOUT_S, ready_line="Serving securely on")


def _flags(arguments: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in arguments.items()]
