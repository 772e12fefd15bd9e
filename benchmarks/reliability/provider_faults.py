"""Faults of the providers, and how to inject them: by Toxiproxy, or by the simulated provider itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_worker.core.settings import CloudSettings
from benchmarks.reliability.tls import EXPIRED, NO_TLS

if TYPE_CHECKING:
    from benchmarks.reliability.testbed import Testbed

_DEFAULTS = CloudSettings.model_fields
_SLOWDOWN = 10


@dataclass(frozen=True)
class Provider:
    """A service that the worker needs.

    Attributes:
        name: As in the metric ``livekit_errors_total``.
        path: Of its HTTP requests.
        model: Of its requests.
        latency_ms: Usual latency.
        cut_after_bytes: How much of an answer passes before a cut: its head, and some of its content.
    """

    name: str
    path: str
    model: str
    latency_ms: int
    cut_after_bytes: int


STT = Provider("stt", "/v1/listen", _DEFAULTS["deepgram_model"].default, 200, 700)
FAST = Provider("fast_llm", "/v1/chat/completions", _DEFAULTS["groq_fast_model"].default, 150, 900)
MAIN = Provider("main_llm", "/v1/chat/completions", _DEFAULTS["groq_main_model"].default, 600, 900)
TTS = Provider("tts", "/v1/audio/speech", _DEFAULTS["openai_tts_model"].default, 300, 40_000)
PROVIDERS = (STT, FAST, MAIN, TTS)

FAULTS = ("refused", "silent", "slow", "429", "500", "401", "garbage", "cut")
TLS_FAULTS = (EXPIRED, NO_TLS)
DURATIONS = ("once", "20 s", "for ever")

_SIMULATED: dict[str, dict[str, Any]] = {
    "429": {"kind": "status", "status": 429, "retry_after": 1},
    "500": {"kind": "status", "status": 500},
    "401": {"kind": "status", "status": 401},
    "garbage": {"kind": "garbage"},
    "silent": {"kind": "silent"},
    "cut": {"kind": "cut", "messages": 3},
}
"""Faults that the simulated provider has itself; unlike Toxiproxy it counts requests."""


async def inject(testbed: Testbed, providers: Sequence[Provider], fault: str, duration: str) -> None:
    """Make providers fail from now on: the next request, or all until :meth:`Testbed.recover`."""
    by_proxy = fault not in _SIMULATED or (fault in ("silent", "cut") and duration != "once")
    if by_proxy:
        for provider in providers:
            await _inject_by_proxy(testbed, provider, fault)
    requests = 1 if duration == "once" else None
    await testbed.set_faults(
        []
        if by_proxy
        else [
            {"path": provider.path, "model": provider.model, "requests": requests, **_SIMULATED[fault]}
            for provider in providers
        ]
    )
    if STT in providers and not by_proxy:  # it has been connected since the call started
        await testbed.proxy.close_connections(STT.name)


async def _inject_by_proxy(testbed: Testbed, provider: Provider, fault: str) -> None:
    proxy, name = testbed.proxy, provider.name
    if fault == "refused":
        await proxy.disable(name)
    elif fault == "silent":
        await proxy.add_toxic(name, "timeout", timeout=0)
    elif fault == "slow":
        await proxy.add_toxic(name, "latency", latency=provider.latency_ms * (_SLOWDOWN - 1))
    elif fault == "cut":
        await proxy.add_toxic(name, "limit_data", bytes=provider.cut_after_bytes)
    elif testbed.tls:
        await proxy.set_upstream(name, testbed.tls.ports[fault])
