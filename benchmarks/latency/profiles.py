"""Profiles: how fast the providers are."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.harness.simulation import Latencies
from benchmarks.harness.systems import System

PHONE_DELAY_S = 0.06
PHONE_LOSS = 0.02
"""Share of packets of 20 ms."""

_TYPICAL = Latencies(p95_over_median=3, stt_final=26, stt_p95_over_median=2.7)
"""Models and voice vary as in `jitter`. The final transcript, 224 ms after the last sound at the earliest, comes at a
median of 250 ms, with p99 at 330 ms: nova-3 as Pipecat's stt-benchmark measured it."""


@dataclass(frozen=True)
class Profile:
    """Providers that all systems are measured with.

    Attributes:
        latencies: Of the simulated providers; None for the small real models.
        people: Whether the callers are recordings of people.
        max_parallel: Limit of simultaneous calls.
        tool_s: How long the tool takes that the main model calls in each turn, seconds; None: it calls none.
        phone: Whether the callers call by telephone: 8 kHz, mu-law, 2 % of the packets lost, and ``PHONE_DELAY_S`` each
            way beside what the transport takes.
        interrupts: Whether the callers are heard over the agent's answers, with recorded sounds.
        flux: Whether the simulated recogniser is Deepgram Flux, which decides the end of the turn.
    """

    name: str
    about: str
    latencies: Latencies | None
    max_parallel: int = 16
    people: bool = False
    tool_s: float | None = None
    phone: bool = False
    interrupts: bool = False
    flux: bool = False

    @property
    def by_recordings(self) -> bool:
        """Whether what the callers are heard with are recordings of people."""
        return self.people or self.interrupts

    @property
    def line_delay_s(self) -> float:
        """Return what the caller's line adds to a sound's way to the agent and to the way back, together."""
        return 2 * PHONE_DELAY_S if self.phone else 0.0

    @property
    def simulated(self) -> bool:
        """Whether the providers are simulated."""
        return self.latencies is not None

    def measures(self, system: System) -> bool:
        """Return whether the system is measured: those with a tool, or Flux, where there is one, and only there."""
        works = self.simulated or not system.scripted
        return works and system.flux == self.flux and system.has_tool == (self.tool_s is not None)


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
            "typical",
            "as jitter, but the final transcript comes at a median of 250 ms, p99 330 ms, after the last sound",
            _TYPICAL,
        ),
        Profile(
            "phone",
            "as typical, by telephone: 8 kHz mu-law, 2 % of the packets lost, 60 ms more each way",
            _TYPICAL,
            phone=True,
        ),
        Profile("flux", "as typical, with Deepgram Flux and its eager ends of turns", _TYPICAL, flux=True),
        Profile(
            "people", "as cloud; the callers are recordings of people, with their pauses", Latencies(), people=True
        ),
        Profile(
            "tools", "as cloud; the main model calls a tool, which takes 3 s, and answers", Latencies(), tool_s=3.0
        ),
        Profile("tools-long", "as tools, but the tool takes 9 s", Latencies(), tool_s=9.0),
        Profile(
            "interruptions",
            "as cloud, with answers of about 9 s; the caller is heard over them, with recordings of people",
            Latencies(),
            interrupts=True,
        ),
        Profile("real", "small real models on this machine's CPU, which they share with everything else", None, 1),
    )
}
