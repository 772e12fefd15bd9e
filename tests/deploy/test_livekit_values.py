"""What LiveKit server makes of the values for its Helm chart: the chart hands `livekit` on as its configuration."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path

import pytest
import yaml

from testbed.processes import Child, ServiceError, free_port
from testbed.services import API_KEY, API_SECRET, Service, find_binary, running
from tests.deploy.manifests import values
from tests.e2e.redis import redis_server


async def test_livekit_server_starts_with_the_values_as_a_node_of_a_cluster(tmp_path: Path) -> None:
    try:
        binary = find_binary("livekit-server")
    except ServiceError as error:
        pytest.skip(str(error))
    redis, port = free_port(), free_port()
    config = copy.deepcopy(dict(values()["livekit"]))
    config["redis"]["address"] = f"127.0.0.1:{redis}"
    config["rtc"] |= {"use_external_ip": False, "tcp_port": port + 1, "udp_port": port + 2}
    config["prometheus_port"] = free_port()
    keys = tmp_path / config["key_file"]
    keys.write_text(f"{API_KEY}: {API_SECRET * 8}\n")  # outside of development LiveKit wants a long one
    keys.chmod(0o600)
    config |= {"port": port, "bind_addresses": ["127.0.0.1"], "key_file": str(keys)}
    body = yaml.safe_dump(config)
    # Strict, by default: a key that LiveKit server does not know ends it.
    livekit = Service(
        "LiveKit server",
        [binary, "--node-ip", "127.0.0.1", "--config-body", body],
        20,
        ready_url=f"http://127.0.0.1:{port}",
    )
    async with running([redis_server(redis), livekit], tmp_path) as children:
        assert await connected(children["LiveKit server"])


async def connected(server: Child) -> bool:
    while "connecting to redis" not in server.output():
        await asyncio.sleep(0.1)
    return True
