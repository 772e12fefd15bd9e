"""The cases: a provider or a part of the infrastructure fails during a call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

from benchmarks.reliability.calls import LEAD_S, Call, Event, make_call
from benchmarks.reliability.checks import CaseResult, Evidence, Expectation, check
from benchmarks.reliability.infra_faults import InfraCase, infra_cases
from benchmarks.reliability.provider_faults import (
    DURATIONS,
    FAST,
    FAULTS,
    MAIN,
    PROVIDERS,
    STT,
    TLS_FAULTS,
    TTS,
    Provider,
    inject,
)
from benchmarks.reliability.testbed import TLS, Testbed

_OUTAGE_S = 20.0
_END_OF_CALL_TIMEOUT_S = 15.0
_POLL_S = 0.5
_FAST_MODEL_IN_USE = {"PRERESPONSE_STRATEGY": "llm"}
"""Phrases do not need the fast model."""


@dataclass(frozen=True)
class ProviderCase:
    """A call in which providers start to fail before the second turn.

    Attributes:
        fault: One of ``FAULTS`` or ``TLS_FAULTS``.
        duration: One of ``DURATIONS``.
        env: Settings of the worker.
    """

    providers: tuple[Provider, ...]
    fault: str
    duration: str
    env: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    mount: str = ""

    @property
    def name(self) -> str:
        """The case's name in the table."""
        return f"{' and '.join(provider.name for provider in self.providers)}: {self.fault}, {self.duration}"

    @property
    def expectation(self) -> Expectation:
        """What must hold: a service that is only slow, or a request that is cancelled in time, is no error."""
        is_silent_fast_model = self.fault == "silent" and self.providers == (FAST,)
        is_slow = self.fault == "slow" and self.providers in ((FAST,), (STT,), (TTS,))
        cancelled = (FAST,) if self.fault == "silent" else ()
        errors = () if self.fault == "slow" else tuple(each.name for each in self.providers if each not in cancelled)
        return Expectation(
            failing=(1,) if self.duration == "once" else (1, 2),
            errors=errors,
            unnoticed=is_slow or is_silent_fast_model,
            loses_usage=STT in self.providers or self.fault not in ("429", "500", "401"),
            late_words=STT in self.providers and self.fault == "silent",  # it sends them when it is silent no longer
        )

    async def call(self, testbed: Testbed) -> Call:
        """Make the call."""
        recoveries: list[asyncio.Task[None]] = []

        async def fail() -> None:
            await inject(testbed, self.providers, self.fault, self.duration)
            if self.duration == "20 s":
                recoveries.append(asyncio.create_task(_recover_later(testbed)))

        events: dict[int, Event] = {1: fail}
        if self.duration == "once":
            events[2] = testbed.recover
        leads = (0, LEAD_S, LEAD_S, 5.0) if self.duration == "20 s" else (0, LEAD_S, LEAD_S)
        call = await make_call(testbed, f"faults-{uuid4().hex[:8]}", leads, events)
        await asyncio.gather(*recoveries)
        return call


async def _recover_later(testbed: Testbed) -> None:
    await asyncio.sleep(_OUTAGE_S)
    await testbed.recover()


Case = ProviderCase | InfraCase


def all_cases() -> list[Case]:
    """Return every case that can be run on this machine."""
    return [*provider_cases(), *infra_cases()]


def provider_cases() -> list[ProviderCase]:
    """Return the cases in which a provider fails; Groq has two models, which can also fail together."""

    def of(providers: Sequence[Provider], faults: Sequence[str], durations: Sequence[str]) -> list[ProviderCase]:
        return [
            ProviderCase((provider,), fault, duration, _FAST_MODEL_IN_USE if provider is FAST else {})
            for provider in providers
            for fault in faults
            for duration in durations
        ]

    return [
        *of(PROVIDERS, FAULTS, DURATIONS),
        *(
            ProviderCase((FAST, MAIN), fault, duration)
            for fault in ("refused", "silent", "500")
            for duration in ("once", "for ever")
        ),
        *(
            ProviderCase(case.providers, case.fault, case.duration, {**case.env, **TLS})
            for case in of(PROVIDERS, TLS_FAULTS, ["for ever"])
        ),
    ]


async def run_case(case: Case, testbed: Testbed) -> CaseResult:
    """Make the case's call and check what it leaves behind."""
    await testbed.recover()
    before, log_offsets = await Counts.read(testbed), testbed.log_offsets()
    try:
        call = await case.call(testbed)
    finally:
        await testbed.recover()
    await wait_for_end_of_call(testbed)
    counts = await Counts.read(testbed)
    return check(Evidence(call, testbed.log(log_offsets), *counts.since(before)), case.expectation)


class Counts(NamedTuple):
    """The worker's metrics, and what each provider was asked for."""

    metrics: Mapping[str, float]
    usage: Mapping[str, Counter[str]]

    @classmethod
    async def read(cls, testbed: Testbed) -> Counts:
        """Read both now."""
        return cls(await testbed.metrics(), await testbed.usage())

    def since(self, before: Counts) -> Counts:
        """Return the increase since ``before``."""
        return Counts(
            {name: value - before.metrics.get(name, 0.0) for name, value in self.metrics.items()},
            {
                provider: Counter({name: value - before.usage[provider][name] for name, value in counts.items()})
                for provider, counts in self.usage.items()
            },
        )


async def wait_for_end_of_call(testbed: Testbed) -> None:
    """Wait until the worker has ended the call and counted all of it."""
    for _ in range(int(_END_OF_CALL_TIMEOUT_S / _POLL_S)):
        await asyncio.sleep(_POLL_S)
        if not (await testbed.metrics()).get("livekit_active_conversations", 0):
            break
    await asyncio.sleep(1.0)
