"""The values for LiveKit's Helm chart, which passes `livekit` to LiveKit server as its configuration."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from testbed.processes import free_port, poll
from testbed.services import API_KEY, API_SECRET, Service, redis_server, running
from tests.deploy.manifests import values
from tests.tools import require_binary

pytestmark = pytest.mark.slow


async def test_livekit_server_starts_with_the_values_as_a_node_of_a_cluster(tmp_path: Path) -> None:
    binary = require_binary("livekit-server")
    require_binary("redis-server")
    redis, port = free_port(), free_port()
    config = copy.deepcopy(dict(values()["livekit"]))
    config["redis"]["address"] = f"127.0.0.1:{redis}"
    config["rtc"] |= {"use_external_ip": False, "tcp_port": port + 1, "udp_port": port + 2}
    config["prometheus_port"] = free_port()
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
    async with running([redis_server(redis), livekit], tmp_path) as children:
        server = children["LiveKit server"]

        async def has_reached_redis() -> bool:
            return "connecting to redis" in server.output()

        await poll(has_reached_redis)
