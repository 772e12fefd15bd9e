"""Profiles: how fast the providers are."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.harness.simulation import Latencies
from benchmarks.harness.systems import System


@dataclass(frozen=True)
class Profile:
    """Providers that all systems are measured with.

    Attributes:
        latencies: Of the simulated providers; None for the small real models.
        people: Whether the callers are recordings of people.
        max_parallel: Limit of simultaneous calls.
        tool_s: How long the tool takes that the main model calls in each turn, seconds; None: it calls none.
    """

    name: str
    about: str
    latencies: Latencies | None
    max_parallel: int = 16
    people: bool = False
    tool_s: float | None = None

    @property
    def simulated(self) -> bool:
        """Whether the providers are simulated."""
        return self.latencies is not None

    def measures(self, system: System) -> bool:
        """Return whether the system is measured: those with a tool where one is called, and only there."""
        return system.has_tool == (self.tool_s is not None)


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("cloud", "providers as fast as cloud services are", Latencies()),
        Profile("slow-main", "as cloud, but the main model takes 2.5 s", Latencies(main_ttft=2500)),
        Profile("fast-main", "as cloud, but the main model is as fast as the small one", Latencies(main_ttft=150)),
        Profile(
            "jitter",
            "as cloud, every latency log-normal, p95 at 3 times the median",
            Latencies(p95_over_median=3, stt_final=50),
        ),
        Profile(
            "people", "as cloud; the callers are recordings of people, with their pauses", Latencies(), people=True
        ),
        Profile(
            "tools", "as cloud; the main model calls a tool, which takes 3 s, and answers", Latencies(), tool_s=3.0
        ),
        Profile("tools-long", "as tools, but the tool takes 9 s", Latencies(), tool_s=9.0),
        Profile("real", "small real models on this machine's CPU, which they share with everything else", None, 1),
    )
}
