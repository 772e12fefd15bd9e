"""Metrics as an end-to-end test reads them: over HTTP, from agent-metrics or from the worker that serves them."""

from __future__ import annotations

import re

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from testbed.processes import poll
from testbed.services import Ports


async def scrape(ports: Ports) -> dict[str, float]:
    """Return the metrics of calls by name, label values in brackets behind it."""
    async with aiohttp.ClientSession() as http, http.get(ports.metrics_url) as response:
        text = await response.text()
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if re.match("livekit_", sample.name)
    }


async def scrape_after_calls(*systems: Ports) -> list[dict[str, float]]:
    """Return the metrics of each system once no call is active: a worker notices with a delay that a caller left."""

    async def is_idle() -> bool:
        return not any([(await scrape(ports)).get("livekit_active_conversations") for ports in systems])

    await poll(is_idle)
    return [await scrape(ports) for ports in systems]
