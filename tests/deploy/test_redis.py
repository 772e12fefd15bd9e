"""The commands that start Redis in compose and Kubernetes, run with a real Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest
import yaml

from testbed.processes import free_port
from testbed.services import ROOT, Service, running
from tests.tools import require_binary

pytestmark = pytest.mark.slow

PASSWORD = "0123456789abcdef"


def script_in_compose() -> str:
    command = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text())["services"]["redis"]["command"]
    assert command[:2] == ["sh", "-c"]
    return str(command[2]).replace("$$", "$")


def script_in_kubernetes() -> str:
    manifests = yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "livekit" / "redis" / "redis.yaml").read_text())
    (deployment,) = (each for each in manifests if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c"]
    (script,) = container["args"]
    return str(script)


async def reply(port: int, *commands: str) -> list[str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    replies = []
    for command in commands:
        writer.write(f"{command}\r\n".encode())
        replies.append((await reader.readline()).decode().strip())
    writer.close()
    return replies


@pytest.mark.parametrize("script", [script_in_compose(), script_in_kubernetes()], ids=["compose", "kubernetes"])
async def test_redis_asks_for_its_password_and_shows_it_in_no_command_line(tmp_path: Path, script: str) -> None:
    binary, port = require_binary("redis-server"), free_port()
    own = f"{binary} - --port {port} --bind 127.0.0.1"
    command = ["sh", "-c", script.replace("redis-server -", own, 1)]
    service = Service("redis", command, 60, ready_line="Ready to accept connections", env={"REDIS_PASSWORD": PASSWORD})
    async with running([service], tmp_path) as children:
        assert (await reply(port, "PING"))[0].startswith("-NOAUTH")
        assert await reply(port, f"AUTH {PASSWORD}", "PING") == ["+OK", "+PONG"]
        command_line = " ".join(psutil.Process(children["redis"].pid).cmdline())
        assert "redis-server" in command_line
        assert PASSWORD not in command_line
