"""Prometheus's Pushgateway, which keeps the metrics of a process that has ended. Its calls block."""

from __future__ import annotations

import urllib.request

from prometheus_client import CollectorRegistry, push_to_gateway
from prometheus_client.parser import text_string_to_metric_families

from caller.canary.metrics import FAILURES

JOB = "canary"
_TIMEOUT_S = 10.0


def earlier_failures(url: str) -> int:
    """Return how many calls in a row have failed, by what was pushed last; 0 if nothing was.

    Raises:
        OSError | ValueError: If the gateway does not answer, or is none.
    """
    with urllib.request.urlopen(f"{url}/metrics", timeout=_TIMEOUT_S) as response:
        page = response.read().decode()
    samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    return next((int(each.value) for each in samples if each.name == FAILURES and each.labels.get("job") == JOB), 0)


def push(url: str, registry: CollectorRegistry) -> None:
    """Put these metrics in the place of those that were pushed last.

    Raises:
        OSError: If the gateway does not answer, or refuses.
    """
    push_to_gateway(url, JOB, registry, timeout=_TIMEOUT_S)
