"""What calls add to the decision: read from the results of ``benchmarks.latency``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.latency.results import Results
from benchmarks.latency.summary import record_of, summarize

SYSTEM = "agent-worker/phrase"
_SPOKEN = "spoken"


@dataclass(frozen=True)
class Calls:
    """Medians over turns of calls, seconds.

    Attributes:
        after_decision: From the decision to the first sound that the caller hears; transport is in it, there and back.
        own_after_decision: The same by the agent's clock.
        transport: Audio from caller to agent and back: encoder, frames of 20 ms, server, jitter buffer.
        people: First sound, decision and number of the turns of people, by whether a pre-response was spoken.
    """

    after_decision: float
    own_after_decision: float
    transport: float
    people: Mapping[str, tuple[float, float, int]]


def calls(results: Results) -> Calls:
    """Return the medians of the worker with its default strategy; profile ``cloud``, and ``people`` for people."""
    cloud = [row for row in results.turns if (row["profile"], row["system"]) == ("cloud", SYSTEM)]
    summary = summarize("cloud", SYSTEM, cloud)
    groups: dict[str, list[tuple[float, float]]] = {"with a pre-response": [], "without": []}
    for row in results.turns:
        record = record_of(row)
        decision = record.get("end_of_turn_delay")
        if (row["profile"], row["system"]) != ("people", SYSTEM) or decision is None or row["person"]["cut_off"]:
            continue
        is_spoken = record["preresponse_outcome"] == _SPOKEN
        groups["with a pre-response" if is_spoken else "without"].append((row["response_gap"], decision))
    people = {name: (*np.median(found, axis=0), len(found)) for name, found in groups.items() if found}
    after, own = summary.after_end_of_turn, summary.own_after_end_of_turn
    assert after is not None
    assert own is not None
    return Calls(after.p50, own.p50, results.profiles["cloud"]["transport_delay"], people)
