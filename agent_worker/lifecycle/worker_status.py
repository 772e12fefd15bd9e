"""What a worker tells of itself, on its port and as metrics: free slots, and whether it is alive, started and ready.

The page asks before it lets a caller in, the guard before it requests an agent: at ``/slots``. Compose and Kubernetes
ask for the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from livekit.agents import AgentServer

from agent_worker.core.compat.livekit import (
    JsonAgentServer,
    accepted_calls,
    has_failed,
    is_marked_full,
    is_registered,
    keeps_warm_processes,
    warm_processes,
    worker_load,
)
from agent_worker.core.settings import Settings
from agent_worker.lifecycle.call_identity import version_of
from agent_worker.telemetry import metrics

SLOTS_PATH = "/slots"
#: Alive: a restart would not help. Started: models are loaded, and a process is prepared for a call. Ready: LiveKit has
#: the worker in its list, and a call would get an agent at once.
ALIVE_PATH, STARTED_PATH, READY_PATH = "/healthz", "/startup", "/ready"
_INTERVAL_S = 1.0


@dataclass(frozen=True)
class WorkerStatus:
    """A worker at one moment.

    Attributes:
        agent_name: The name that LiveKit dispatches its agents by; may be empty.
        capacity: Calls that it takes at once; ``None`` without ``WORKER_MAX_CALLS``, where the CPU decides.
        calls: Calls that it has, and has accepted.
        free: Calls that it takes now; ``None`` if it takes some, and does not know how many.
        load: What it reports to LiveKit, from 0 to 1.
        registered: Whether LiveKit knows it.
        draining: Whether it ends after its calls.
    """

    agent_name: str
    capacity: int | None
    calls: int
    free: int | None
    load: float
    registered: bool
    draining: bool


def worker_status(server: AgentServer, settings: Settings, full_load: float) -> WorkerStatus:
    """Return the status of a worker.

    Args:
        server: The worker.
        settings: Its settings.
        full_load: The load from which on LiveKit gives it no call.
    """
    capacity, calls, load = settings.worker_max_calls, accepted_calls(server), worker_load(server)
    registered = is_registered(server)
    takes_calls = registered and not server.draining and not is_marked_full(server)
    if not takes_calls or (capacity is None and load >= full_load):
        free: int | None = 0
    else:
        free = None if capacity is None else max(capacity - calls, 0)
    return WorkerStatus(settings.agent_name, capacity, calls, free, round(load, 3), registered, bool(server.draining))


@dataclass(frozen=True)
class Readiness:
    """Whether a call would get an agent from this worker at once.

    Attributes:
        registered: Whether LiveKit knows the worker.
        warm_processes: Processes that are prepared and have no call.
        calls: Calls that the worker has; each has a process.
        draining: Whether the worker ends after its calls.
        started: Whether a process has been prepared since the start of the worker.
        ready: Whether all is well. A worker whose slots are all taken is ready; ``/slots`` tells that it takes no more.
    """

    registered: bool
    warm_processes: int
    calls: int
    draining: bool
    started: bool
    ready: bool


class ReadinessProbe:
    """Tell whether a worker is ready, and remember that it has started."""

    def __init__(self, server: AgentServer) -> None:
        self._server = server
        self._is_started = False

    def readiness(self) -> Readiness:
        """Return the readiness at this moment."""
        registered, draining = is_registered(self._server), bool(self._server.draining)
        warm, calls = warm_processes(self._server), accepted_calls(self._server)
        has_process = warm > 0 or calls > 0 or not keeps_warm_processes(self._server)
        self._is_started = self._is_started or has_process
        is_ready = registered and has_process and not draining
        return Readiness(registered, warm, calls, draining, self._is_started, is_ready)


def report_status(
    server: JsonAgentServer,
    settings: Settings,
    full_load: float,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Serve the worker's status on its port, and keep its metrics up to date while it runs."""
    server.serve_json(SLOTS_PATH, lambda: asdict(worker_status(server, settings, full_load)))
    probe = ReadinessProbe(server)
    server.serve_json(READY_PATH, lambda: asdict(probe.readiness()), is_ok=lambda found: bool(found["ready"]))
    server.serve_json(STARTED_PATH, lambda: asdict(probe.readiness()), is_ok=lambda found: bool(found["started"]))
    server.serve_json(ALIVE_PATH, lambda: {"alive": not has_failed(server)}, is_ok=lambda found: bool(found["alive"]))
    tasks: set[asyncio.Task[None]] = set()

    async def keep_up_to_date() -> None:
        while True:
            count_status(worker_status(server, settings, full_load))
            metrics.WORKERS_READY.set(probe.readiness().ready)
            await sleep(_INTERVAL_S)

    @server.on("worker_started")
    def _start() -> None:
        metrics.BUILD_INFO.labels(version_of(settings)).set(1)
        tasks.add(asyncio.create_task(keep_up_to_date(), name="worker_status"))


def count_status(status: WorkerStatus) -> None:
    """Set the metrics of the worker to its status."""
    metrics.WORKER_SLOTS.set(status.capacity or 0)
    metrics.WORKER_FREE_SLOTS.set(status.free or 0)
    metrics.WORKER_LOAD.set(status.load)
    metrics.WORKERS_REGISTERED.set(status.registered)
    metrics.WORKERS_DRAINING.set(status.draining)
