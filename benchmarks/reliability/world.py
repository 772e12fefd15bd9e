"""What does a call run on? Everything of a real one, with a proxy before each provider that can be told to fail."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.reliability.faults import PARTS
from benchmarks.reliability.tls import SOUND, TlsFront, tls_front
from benchmarks.reliability.toxiproxy import Toxiproxy, toxiproxy
from testbed.processes import Child, free_port
from testbed.services import (
    ROOT,
    Ports,
    Service,
    agent_metrics,
    livekit_server,
    model_server,
    running,
    worker,
    worker_env,
)

ANSWER_HZ, PHRASE_HZ, APOLOGY_HZ, STAND_IN_HZ = 880.0, 440.0, 1320.0, 1760.0
CALLER_SAYS = "Is there a pharmacy near the station?"
#: Setting with which the worker's connections to the providers are encrypted.
TLS = {"RELIABILITY_TLS": "1"}
SECRETS = {"GROQ_API_KEY": "gsk-faults-83", "OPENAI_API_KEY": "sk-faults-51", "DEEPGRAM_API_KEY": "dg-faults-27"}

_SIMULATION: dict[str, Any] = {
    "llm": {
        # 'quick' in each sentence: by its tone the caller hears that the fast model answered in the main one's place.
        PARTS[1].model: {"ttft_ms": 150, "tokens_per_second": 500, "replies": ["A quick look will tell."]},
        "*": {
            "ttft_ms": 600,
            "tokens_per_second": 30,
            "replies": ["The answer is at nine. That answer is certain, and no answer is better."],
        },
    },
    "stt": {"*": {"transcripts": [CALLER_SAYS]}},
    "tts": {
        "*": {
            "ttfb_ms": 300,
            "realtime_factor": 0.05,
            "tone_hz": PHRASE_HZ,
            "tones": {"answer": ANSWER_HZ, "quick": STAND_IN_HZ, "went wrong": APOLOGY_HZ},
        }
    },
}


@dataclass
class World:
    """Servers and a worker, for one call at a time."""

    ports: Ports
    proxy: Toxiproxy
    folder: Path
    children: dict[str, Child] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    tls: TlsFront | None = None

    async def ask_for(self, faults: Sequence[Mapping[str, Any]]) -> None:
        url = f"{self.ports.models_url.removesuffix('/v1')}/simulated/faults"
        async with aiohttp.ClientSession(raise_for_status=True) as http, http.put(url, json=faults):
            pass

    async def heal(self) -> None:
        await self.ask_for([])
        await self.proxy.heal()
        if self.tls:
            for part in PARTS:
                await self.proxy.send_to(part.name, self.tls.ports[SOUND])

    async def seen(self) -> dict[str, Counter[str]]:
        """What the providers were asked for, by part."""
        url = f"{self.ports.models_url.removesuffix('/v1')}/simulated/seen"
        async with aiohttp.ClientSession(raise_for_status=True) as http, http.get(url) as response:
            rows = await response.json()
        names = {(part.path, part.model): part.name for part in PARTS}
        found = {part.name: Counter[str]() for part in PARTS}
        for row in rows:
            if name := names.get((row.pop("path"), row.pop("model"))):
                found[name].update(row)
        return found

    async def metrics(self) -> dict[str, float]:
        """What agent-metrics serves, labels in the name; nothing if it does not answer."""
        try:
            async with aiohttp.ClientSession() as http, http.get(self.ports.metrics_url) as response:
                text = await response.text()
        except aiohttp.ClientError:
            return {}
        return {
            sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if re.match("livekit_", sample.name)
        }

    async def start_again(self, name: str) -> None:
        """A server that has ended."""
        service, log = self.services[name], self.folder / f"{uuid4().hex[:6]}.log"
        await self.children[name].stop()
        self.children[name] = child = await Child.start(name, service.command, service.env, log)
        await child.wait_until(functools.partial(service.is_ready, child), service.timeout, lambda _: None)

    async def another_worker(self) -> None:
        """Beside the one that there is."""
        (service,) = (service for name, service in self.services.items() if name.startswith("worker"))
        number = len(self.workers) + 1
        child = await Child.start(service.name, service.command, service.env, self.folder / f"worker{number}.log")
        self.children[f"{service.name} {number}"] = child
        await child.wait_until(functools.partial(_has_warm_process, child), 180, lambda _: None)

    @property
    def workers(self) -> list[int]:
        """Their processes' ids, not those of the calls."""
        return [child.pid for name, child in self.children.items() if name.startswith("worker")]

    def log(self, since: Mapping[Path, int] | None = None) -> str:
        """What the workers and their calls have logged, or have since :meth:`logged`."""
        begin = since or {}
        return "".join(text[begin.get(path, 0) :] for path, text in self._logs().items())

    def logged(self) -> dict[Path, int]:
        """How much that is, by file."""
        return {path: len(text) for path, text in self._logs().items()}

    def _logs(self) -> dict[Path, str]:
        return {path: path.read_text(errors="replace") for path in sorted(self.folder.glob("worker*.log"))}


@contextlib.asynccontextmanager
async def new_world(folder: Path, env: Mapping[str, str], mount: str = "") -> AsyncIterator[World]:
    """Everything is started, and stopped at the end. The folder must be there.

    Args:
        env: Settings of the worker. ``{folder}`` in them stands for the folder.
        mount: Options of a file system of its own for the metrics.
    """
    simulation = folder / "simulation.json"
    simulation.write_text(json.dumps(_SIMULATION))
    ports = Ports(livekit=free_port(), models=free_port(), metrics=free_port())
    proxy_port = free_port()
    proxy = Toxiproxy(proxy_port)
    metrics = folder / "metrics"
    metrics.mkdir()
    servers = [
        livekit_server(ports.livekit),
        model_server(ports.models, "--simulated", str(simulation)),
        agent_metrics(ports.metrics, metrics),
        toxiproxy(proxy_port),
    ]
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_mounted(mount, metrics))
        children = await stack.enter_async_context(running(servers, folder))
        tls = await stack.enter_async_context(tls_front(ports.models, folder)) if TLS.items() <= env.items() else None
        upstream = tls.ports[SOUND] if tls else ports.models
        listening = await proxy.create({part.name: upstream for part in PARTS})
        settings = {name: value.format(folder=folder) for name, value in env.items()}
        agent = worker("benchmarks/reliability/agent.py", _worker_env(ports, listening, folder, tls) | settings)
        workers = await stack.enter_async_context(running([agent], folder))
        await workers[agent.name].wait_until(functools.partial(_has_warm_process, workers[agent.name]), 180, print)
        services = {service.name: service for service in (*servers, agent)}
        world = World(ports, proxy, folder, {**children, **workers}, services, tls)
        try:
            yield world
        finally:
            for child in world.children.values():
                await child.stop()


@contextlib.contextmanager
def _mounted(options: str, folder: Path) -> Iterator[None]:
    if not options:
        yield
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


async def _has_warm_process(worker: Child) -> bool:
    return "process initialized" in worker.output()


def _worker_env(ports: Ports, listening: Mapping[str, int], folder: Path, tls: TlsFront | None) -> dict[str, str]:
    def url(part: str) -> str:
        return f"{'https' if tls else 'http'}://localhost:{listening[part]}/v1"

    unwanted = ("SYSTEM_PROMPT", "PRERESPONSE_PROMPT", "ANSWER_MAX_TOKENS")
    env = {name: value for name, value in worker_env(ports, folder / "metrics").items() if name not in unwanted}
    return env | {
        "GROQ_BASE_URL": url("main_llm"),
        "FAST_BASE_URL": url("fast_llm"),
        "DEEPGRAM_BASE_URL": f"{url('stt')}/listen",
        "OPENAI_BASE_URL": url("tts"),
        "PRERESPONSE_AUDIO_DIR": str(folder / "phrases"),
        "NO_GREETING": "1",
        "PYTHONPATH": str(ROOT),
        **({"SSL_CERT_FILE": str(tls.authority)} if tls else {}),
        **SECRETS,
    }
