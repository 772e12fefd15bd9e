"""A whole system on this machine with a Prometheus that watches it: for the tests, and for the picture."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from monitoring import server
from monitoring.server import Prometheus
from testbed.services import Ports, Service, whole_system

_POLL = 0.3


def watched_system(
    script: str, ports: Ports, prometheus_port: int, folder: Path, env: Mapping[str, str] | None = None
) -> list[Service]:
    """Everything that a conversation needs, and a Prometheus that scrapes each second.

    It starts before the worker, as in a system that has been watched for long: what a counter has counted before the
    first scrape is not an increase.
    """
    services = whole_system(script, ports, folder / "metrics", env)
    worker = next(at for at, service in enumerate(services) if service.name.startswith("worker"))
    return [
        *services[:worker],
        server.service(prometheus_port, ports.metrics, folder / "prometheus"),
        *services[worker:],
    ]


async def all_calls_counted(prometheus: Prometheus, turns: int) -> None:
    """Wait until Prometheus has seen ``turns`` turns, and the end of their calls, and the rules have seen it too."""
    while not (
        await _sum(prometheus, "livekit_conversation_turns_total") == turns
        and await _sum(prometheus, "livekit_active_conversations") == 0
    ):
        await asyncio.sleep(_POLL)
    evaluated_at = await _newest_evaluation(prometheus)
    while await _newest_evaluation(prometheus) == evaluated_at:
        await asyncio.sleep(_POLL)


async def _sum(prometheus: Prometheus, metric: str) -> float | None:
    found = await prometheus.value(f"sum({metric})")
    return found[0].values[0] if found else None


async def _newest_evaluation(prometheus: Prometheus) -> str:
    return max(str(rule["lastEvaluation"]) for rule in await prometheus.rules())
