"""LiveKit server, two workers and two call guards on simulated providers, of which each may be killed and started."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from livekit import api

from testbed.processes import Child, free_port
from testbed.services import (
    API_KEY,
    API_SECRET,
    Ports,
    Service,
    call_guard,
    livekit_server,
    running,
    simulated_models,
    webhook_url,
    worker,
    worker_env,
)

SLOTS_PER_WORKER = 4
LIVEKIT, WORKERS, GUARDS = "LiveKit server", ("worker 1", "worker 2"), ("guard 1", "guard 2")
_SIMULATION = {
    "llm": {"*": {"ttft_ms": 600, "replies": ["Trains are old."]}},
    "tts": {"*": {"ttfb_ms": 300, "realtime_factor": 0.05, "tone_hz": 440.0}},
}


@dataclass
class System:
    """The running parts, by name."""

    ports: Ports
    folder: Path
    services: dict[str, Service]
    children: dict[str, Child] = field(default_factory=dict)

    def livekit(self) -> api.LiveKitAPI:
        """Return a client of the LiveKit server's API."""
        return api.LiveKitAPI(self.ports.livekit_url, API_KEY, API_SECRET)

    async def kill(self, name: str) -> None:
        """End a part and all its processes at once, as when its machine is lost."""
        self.children[name].kill()
        await self.children[name].wait()

    async def start(self, name: str) -> None:
        """Start a part, and wait until it is ready."""
        service = self.services[name]
        log = self.folder / f"{name.replace(' ', '-').lower()}.log"
        child = await Child.start(name, service.command, service.env, log)
        self.children[name] = child

        async def is_ready() -> bool:
            return await service.is_ready(child)

        await child.wait_until(is_ready, service.timeout, lambda _: None)


@contextlib.asynccontextmanager
async def system(folder: Path, *, webhooks: int = 1) -> AsyncIterator[System]:
    """Run everything.

    Args:
        folder: For logs and metrics files.
        webhooks: How often LiveKit tells each of the guards of a change.
    """
    ports, second = Ports.free(), free_port()
    worker_ports = (free_port(), free_port())
    urls = [webhook_url(ports), webhook_url(replace(ports, guard=second))] * webhooks
    services = {LIVEKIT: livekit_server(ports.livekit, webhooks=urls)}
    for name, port in zip(WORKERS, worker_ports, strict=True):
        services[name] = worker("fast-preresponse.py", _worker_settings(folder, ports, port))
    seen = {"WORKER_URLS": ",".join(f"http://127.0.0.1:{port}" for port in worker_ports)}
    for name, port in zip(GUARDS, (ports.guard, second), strict=True):
        services[name] = call_guard(replace(ports, guard=port), seen)
    async with running([simulated_models(ports.models, _SIMULATION, folder)], folder):
        found = System(ports, folder, services)
        try:
            for name in services:
                await found.start(name)
            yield found
        finally:
            await _stop(list(found.children.values()))


async def _stop(children: Sequence[Child]) -> None:
    for child in reversed(children):
        await child.stop()


def _worker_settings(folder: Path, ports: Ports, port: int) -> dict[str, str]:
    return {
        **worker_env(ports, folder / f"metrics-{port}"),
        "WORKER_PORT": str(port),
        "WORKER_MAX_CALLS": str(SLOTS_PER_WORKER),
        "PRERESPONSE_AUDIO_DIR": str(folder),
        "SILENCE_PROMPT_DELAY": "0",
    }
