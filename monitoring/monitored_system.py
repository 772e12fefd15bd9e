"""A whole system on this machine with a Prometheus that scrapes it, for the tests and the picture."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from monitoring import prometheus_server
from monitoring.prometheus_server import Prometheus
from testbed.processes import free_port, poll
from testbed.services import PAGE_SERVER, Ports, Service, whole_system


def monitored_system(
    script: str, ports: Ports, prometheus_port: int, folder: Path, env: Mapping[str, str] | None = None
) -> list[Service]:
    """Describe all parts that a conversation needs, and a Prometheus that scrapes each of them every second.

    It starts before the worker; wait for its scrapes (`wait_until_scraped`) before a call.
    """
    page_health = free_port()
    services = [
        replace(one, env={**one.env, "PAGE_HEALTH_PORT": str(page_health)}) if one.name == PAGE_SERVER else one
        for one in whole_system(script, ports, folder / "metrics", env)
    ]
    targets = {"agent-metrics": ports.metrics, "call-guard": ports.guard}
    if any(one.name == PAGE_SERVER for one in services):
        targets["page"] = page_health
    worker = next(at for at, one in enumerate(services) if one.name.startswith("worker"))
    return [
        *services[:worker],
        prometheus_server.service(prometheus_port, targets, folder / "prometheus"),
        *services[worker:],
    ]


async def wait_until_scraped(prometheus: Prometheus) -> None:
    """Wait until Prometheus has scraped every part from now on: what is counted before that is not an increase.

    Prometheus begins to scrape up to 5 s after it says that it is ready, and a fast machine has a worker by then.
    """
    since = time.time()

    async def is_scraped() -> bool:
        scraped = await prometheus.value("timestamp(up) and up == 1")
        return len(scraped) == await prometheus.targets() > 0 and all(one.values[0] > since for one in scraped)

    await poll(is_scraped)


async def wait_until_counted(prometheus: Prometheus, turns: int) -> None:
    """Wait until Prometheus has ``turns`` turns and the end of their calls, and has evaluated the rules since.

    It may have more: a turn that ends after its caller has left is counted, and nobody gets its record.
    """

    async def is_counted() -> bool:
        return (await _sum(prometheus, "livekit_conversation_turns_total") or 0) >= turns and await _sum(
            prometheus, "livekit_active_conversations"
        ) == 0

    await poll(is_counted)
    evaluated_at = await _last_evaluation(prometheus)

    async def is_evaluated() -> bool:
        return await _last_evaluation(prometheus) != evaluated_at

    await poll(is_evaluated)


async def _sum(prometheus: Prometheus, metric: str) -> float | None:
    found = await prometheus.value(f"sum({metric})")
    return found[0].values[0] if found else None


async def _last_evaluation(prometheus: Prometheus) -> str:
    return max(str(rule["lastEvaluation"]) for rule in await prometheus.rules())
