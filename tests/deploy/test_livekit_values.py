"""The values for LiveKit's Helm chart, which passes `livekit` to LiveKit server as its configuration."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
import yaml
from aiohttp import encode_basic_auth
from livekit.api import AccessToken, VideoGrants
from livekit.protocol.rtc import SignalResponse

from agent_worker.core.settings import CloudSettings
from testbed.processes import free_port, poll
from testbed.services import API_KEY, API_SECRET, ROOT, Service, redis_server, running
from tests.deploy.manifests import values
from tests.tools import require_binary

PASSWORD = "password of a test"
SECRET = API_SECRET * 8  # outside of development mode LiveKit requires a long one
#: The chart's own, which it passes on too; it therefore starts LiveKit with --disable-strict-config.
OF_THE_CHART = ("secretName", "loadBalancerAnnotations")
STUN_BINDING_REQUEST = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"transaction1"
STUN_BINDING_SUCCESS = b"\x01\x01"

needs_servers = pytest.mark.slow


@dataclass(frozen=True)
class Node:
    """A LiveKit node with the configuration in the values.

    Attributes:
        config: As it is in the values, with the ports of this node.
        authority: Issued the certificate of TURN.
    """

    config: dict[str, Any]
    authority: trustme.CA
    output: Any


@contextlib.asynccontextmanager
async def livekit_node(folder: Path) -> AsyncIterator[Node]:
    binary = require_binary("livekit-server")
    require_binary("redis-server")
    redis, port = free_port(), free_port()
    config = copy.deepcopy(dict(values()["livekit"]))
    config["redis"] |= {"address": f"127.0.0.1:{redis}", "password": PASSWORD}
    config["rtc"] |= {"use_external_ip": False, "tcp_port": port + 1, "udp_port": port + 2}
    config["prometheus"]["password"] = PASSWORD
    keys = folder / config["key_file"]
    keys.write_text(f"{API_KEY}: {SECRET}\n")
    keys.chmod(0o600)
    config |= {"port": port, "bind_addresses": ["127.0.0.1"], "key_file": str(keys), "prometheus_port": free_port()}
    authority = trustme.CA()
    authority.issue_cert(config["turn"]["domain"]).private_key_and_cert_chain_pem.write_to_path(folder / "turn.pem")
    turn = {"tls_port": free_port(), "cert_file": str(folder / "turn.pem"), "key_file": str(folder / "turn.pem")}
    config["turn"] = {key: value for key, value in config["turn"].items() if key not in OF_THE_CHART} | turn
    # LiveKit server refuses to start with a key that it does not know.
    command = [binary, "--node-ip", "127.0.0.1", "--config-body", yaml.safe_dump(config)]
    service = Service("LiveKit server", command, 20, ready_url=f"http://127.0.0.1:{port}")
    async with running([redis_server(redis, "--requirepass", PASSWORD), service], folder) as children:
        yield Node(config, authority, children[service.name].output)


@needs_servers
async def test_livekit_server_starts_with_the_values_as_a_node_of_a_cluster(tmp_path: Path) -> None:
    async with livekit_node(tmp_path) as node:

        async def has_reached_redis() -> bool:
            return "connecting to redis" in node.output()

        await poll(has_reached_redis)
        metrics = f"http://127.0.0.1:{node.config['prometheus_port']}/"
        async with aiohttp.ClientSession() as http:
            for headers, status in (({}, 401), ({"Authorization": encode_basic_auth("prometheus", PASSWORD)}, 200)):
                async with http.get(metrics, headers=headers) as response:
                    assert response.status == status


@needs_servers
async def test_callers_are_told_of_turn_with_tls_on_the_port_that_every_network_lets_out(tmp_path: Path) -> None:
    token = AccessToken(API_KEY, SECRET).with_identity("caller")
    grants = VideoGrants(room_join=True, room_create=True, room="room-of-a-test")
    async with livekit_node(tmp_path) as node, aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{node.config['port']}/rtc"
        parameters = {"access_token": token.with_grants(grants).to_jwt(), "protocol": "15"}
        async with http.ws_connect(url, params=parameters) as signalling:
            joined = SignalResponse.FromString(await signalling.receive_bytes()).join
    assert "turns:turn.example.com:443?transport=tcp" in [url for each in joined.ice_servers for url in each.urls]


@needs_servers
async def test_turn_answers_behind_the_certificate_of_its_domain(tmp_path: Path) -> None:
    async with livekit_node(tmp_path) as node:
        context = ssl.create_default_context()
        node.authority.configure_trust(context)
        turn = node.config["turn"]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", turn["tls_port"], ssl=context, server_hostname=turn["domain"]
        )
        writer.write(STUN_BINDING_REQUEST)
        answer = await reader.readexactly(len(STUN_BINDING_REQUEST))
        writer.close()
    assert answer.startswith(STUN_BINDING_SUCCESS)


def test_a_node_that_ends_waits_for_the_longest_call() -> None:
    longest_s = CloudSettings.model_fields["call_max_seconds"].default
    assert values()["terminationGracePeriodSeconds"] > longest_s


def test_a_rollout_needs_no_machine_more_than_there_are_nodes() -> None:
    assert values()["deploymentStrategy"] == {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


def test_livekit_has_the_version_that_compose_runs() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text())
    assert compose["services"]["livekit"]["image"] == f"livekit/livekit-server:{values()['image']['tag']}"
