"""Observations of a traced call name its trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from agent_metrics.compat.prometheus import MetricWrapperBase, in_memory_values
from agent_worker.telemetry import metrics
from agent_worker.telemetry.exemplars import TracedHistogram, name_trace_in_exemplars

TRACE_ID = "5b8aa5a2d2c872e8321cf37308d69df2"


@pytest.fixture(autouse=True)
def _untraced_afterwards() -> Iterator[None]:
    yield
    name_trace_in_exemplars(None)


def observed_exemplars(*values: float) -> list[Any]:
    """Return what the buckets up to 1, 2 and infinity show after some observations."""
    with in_memory_values():
        histogram = TracedHistogram("gap", "help", ["reply"], buckets=(1, 2), registry=CollectorRegistry())
    for value in values:
        histogram.labels("answer").observe(value)
    (family,) = histogram.collect()
    return [sample.exemplar for sample in family.samples if sample.name == "gap_bucket"]


def test_observation_of_a_traced_call_names_its_trace() -> None:
    name_trace_in_exemplars(TRACE_ID)
    first, second, third = observed_exemplars(0.5, 1.5)
    assert (first.labels, first.value) == ({"trace_id": TRACE_ID}, 0.5)
    assert (second.labels, second.value) == ({"trace_id": TRACE_ID}, 1.5)
    assert third is None


def test_observation_of_a_call_without_a_trace_names_none() -> None:
    assert observed_exemplars(0.5, 1.5) == [None, None, None]


def test_every_histogram_of_the_worker_names_traces() -> None:
    declared = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    histograms = [metric for metric in declared if next(iter(metric.describe())).type == "histogram"]
    assert len(histograms) > 10
    assert all(isinstance(metric, TracedHistogram) for metric in histograms)
