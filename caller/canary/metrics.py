"""The metrics of the canary."""

from __future__ import annotations

import math
import time

from prometheus_client import CollectorRegistry, Gauge

from agent_metrics.compat.prometheus import in_memory_values
from caller.canary.trial import OUTCOMES, Trial

FAILURES = "canary_failures_in_a_row"


class CanaryMetrics:
    """The result of the last call.

    Attributes:
        registry: Has them all.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # In memory, also where the image tells workers to write theirs to files.
        with in_memory_values():
            self._declare()

    def _declare(self) -> None:
        to = self.registry
        self.failures = Gauge(
            FAILURES, "Calls of the canary that failed since one was answered; 0 if the last one was", registry=to
        )
        self.outcome = Gauge(
            "canary_outcome", "1 for what became of the last call of the canary, else 0", ["outcome"], registry=to
        )
        self.answer = Gauge(
            "canary_answer_seconds",
            "From the end of the canary's question to the agent's first sound; NaN if there was none",
            registry=to,
        )
        self.last_run = Gauge(
            "canary_last_run_timestamp_seconds",
            "When the canary's last call had ended, seconds since 1970",
            registry=to,
        )

    def record(self, trial: Trial, earlier_failures: int) -> None:
        """Take the result of a call, after so many failures in a row."""
        self.failures.set(0 if trial.is_success else earlier_failures + 1)
        for outcome in OUTCOMES:
            self.outcome.labels(outcome).set(outcome == trial.outcome)
        self.answer.set(math.nan if trial.answer_s is None else trial.answer_s)
        self.last_run.set(time.time())
