"""Which voice agents are measured, and how is each started?"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from testbed.processes import Child
from testbed.services import ROOT, Ports, Service, worker_env

CONTENDERS = ROOT / "benchmarks" / "contenders"

_SMALL_MODEL_ONLY = ("SYSTEM_PROMPT", "PRERESPONSE_PROMPT", "ANSWER_MAX_TOKENS")
"""Settings by which `demo` spares its small model. The simulated ones get what a real deployment has."""


@dataclass(frozen=True)
class System:
    """A voice agent.

    Attributes:
        script: From the project's folder.
        env: What makes this one of its script's variants.
        per_call: It joins a given room and serves one call; the others are workers that LiveKit dispatches.
    """

    name: str
    script: str
    arguments: tuple[str, ...] = ("start",)
    env: Mapping[str, str] = field(default_factory=dict)
    per_call: bool = False

    @property
    def agent_name(self) -> str:
        """A name fit for a file, a room and LiveKit's dispatch."""
        return self.name.replace("/", "-")


def _ours(strategy: str) -> System:
    return System(
        f"agent-worker/{strategy}", "fast-preresponse.py", env={"PRERESPONSE_STRATEGY": strategy, "NO_GREETING": "true"}
    )


STOCK = System("stock", "benchmarks/contenders/stock_agent.py")
SEED = System("seed", "benchmarks/contenders/seed_agent.py")
PIPECAT = System("pipecat", "benchmarks/contenders/pipecat_agent.py", (), per_call=True)

SYSTEMS = {
    system.name: system
    for system in (
        *(_ours(strategy) for strategy in ("hybrid", "phrase", "llm", "off")),
        SEED,
        STOCK,
        System("stock-preemptive-tts", STOCK.script, env={"PREEMPTIVE_TTS": "true"}),
        PIPECAT,
    )
}


def environment(system: System, ports: Ports, folder: Path, *, simulated: bool) -> dict[str, str]:
    """The same servers, keys and prompts for each."""
    env = worker_env(ports, folder / "metrics")
    if simulated:
        env = {name: value for name, value in env.items() if name not in _SMALL_MODEL_ONLY}
        env["PRERESPONSE_AUDIO_DIR"] = str(folder / "phrases")  # tones, which nobody else should hear
    env |= {"AGENT_NAME": system.agent_name, "PYTHONPATH": str(ROOT), "WORKER_MAX_CALLS": "16", **system.env}
    if system.script != "fast-preresponse.py":
        # A worker of livekit-agents deletes what it finds there.
        del env["PROMETHEUS_MULTIPROC_DIR"]
    return env


def worker_service(system: System, env: Mapping[str, str]) -> Service:
    command = [sys.executable, str(ROOT / system.script), *system.arguments]
    return Service(f"{system.agent_name} worker", command, 300, ready_line="registered worker", env=env)


@contextlib.asynccontextmanager
async def in_the_room(
    system: System, room: str, env: Mapping[str, str], python: str, folder: Path
) -> AsyncIterator[None]:
    """For a system that is started anew for each call: it is in the room, waiting for the caller."""
    command = [python, str(ROOT / system.script), *system.arguments, "--room", room]
    child = await Child.start(room, command, env, folder / f"{room}.log")
    try:

        async def ready() -> bool:
            return "agent is in the room" in child.output()

        await child.wait_until(ready, 60, lambda _: None)
        yield
    finally:
        await child.stop()


def has_pipecat(python: str) -> bool:
    return subprocess.run([python, "-c", "import pipecat"], capture_output=True, check=False).returncode == 0
