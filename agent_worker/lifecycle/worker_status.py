"""What a worker tells of itself: how many more calls it takes. For the page, the call guard, and Prometheus.

The page asks before it lets a caller in, the guard before it requests an agent: at ``/slots`` of the worker's port.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from livekit.agents import AgentServer

from agent_worker.core.compat.livekit import JsonAgentServer, accepted_calls, is_marked_full, is_registered, worker_load
from agent_worker.core.settings import Settings
from agent_worker.telemetry import metrics

SLOTS_PATH = "/slots"
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


def report_status(
    server: JsonAgentServer,
    settings: Settings,
    full_load: float,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Serve the worker's status at ``/slots``, and keep its metrics up to date while it runs."""
    server.serve_json(SLOTS_PATH, lambda: asdict(worker_status(server, settings, full_load)))
    tasks: set[asyncio.Task[None]] = set()

    async def keep_up_to_date() -> None:
        while True:
            count_status(worker_status(server, settings, full_load))
            await sleep(_INTERVAL_S)

    @server.on("worker_started")
    def _start() -> None:
        tasks.add(asyncio.create_task(keep_up_to_date(), name="worker_status"))


def count_status(status: WorkerStatus) -> None:
    """Set the metrics of the worker to its status."""
    metrics.WORKER_SLOTS.set(status.capacity or 0)
    metrics.WORKER_FREE_SLOTS.set(status.free or 0)
    metrics.WORKER_LOAD.set(status.load)
    metrics.WORKERS_REGISTERED.set(status.registered)
    metrics.WORKERS_DRAINING.set(status.draining)
