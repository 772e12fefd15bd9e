"""The values for LiveKit's Helm chart, which passes `livekit` to LiveKit server as its configuration."""

from __future__ import annotations

import copy
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import encode_basic_auth

from testbed.processes import free_port, poll
from testbed.services import API_KEY, API_SECRET, Service, redis_server, running
from tests.deploy.manifests import values
from tests.tools import require_binary

pytestmark = pytest.mark.slow

PASSWORD = "password of a test"


async def test_livekit_server_starts_with_the_values_as_a_node_of_a_cluster(tmp_path: Path) -> None:
    binary = require_binary("livekit-server")
    require_binary("redis-server")
    redis, port, metrics = free_port(), free_port(), free_port()
    config = copy.deepcopy(dict(values()["livekit"]))
    config["redis"]["address"] = f"127.0.0.1:{redis}"
    config["rtc"] |= {"use_external_ip": False, "tcp_port": port + 1, "udp_port": port + 2}
    config["redis"]["password"] = config["prometheus"]["password"] = PASSWORD
    config["prometheus_port"] = metrics
    keys = tmp_path / config["key_file"]
    keys.write_text(f"{API_KEY}: {API_SECRET * 8}\n")  # outside of development mode LiveKit requires a long secret
    keys.chmod(0o600)
    config |= {"port": port, "bind_addresses": ["127.0.0.1"], "key_file": str(keys)}
    body = yaml.safe_dump(config)
    # LiveKit server refuses to start with a key that it does not know.
    livekit = Service(
        "LiveKit server",
        [binary, "--node-ip", "127.0.0.1", "--config-body", body],
        20,
        ready_url=f"http://127.0.0.1:{port}",
    )
    password = ("--requirepass", PASSWORD)
    async with running([redis_server(redis, *password), livekit], tmp_path) as children:
        server = children["LiveKit server"]

        async def has_reached_redis() -> bool:
            return "connecting to redis" in server.output()

        await poll(has_reached_redis)
        async with aiohttp.ClientSession() as http:
            for headers, status in (({}, 401), ({"Authorization": encode_basic_auth("prometheus", PASSWORD)}, 200)):
                async with http.get(f"http://127.0.0.1:{metrics}/", headers=headers) as response:
                    assert response.status == status
