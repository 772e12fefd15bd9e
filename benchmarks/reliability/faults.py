"""Which part fails, how, and for how long?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_worker.core.settings import CloudSettings
from benchmarks.reliability.tls import EXPIRED, NO_TLS

if TYPE_CHECKING:
    from benchmarks.reliability.world import World

_DEFAULTS = CloudSettings.model_fields
SLOW = 10
"""Times as slow as usual."""
#: Bytes of an answer that come through before it is cut: its head, and some of what it says.
_CUT_AFTER = {"stt": 700, "fast_llm": 900, "main_llm": 900, "tts": 40_000}


@dataclass(frozen=True)
class Part:
    """A service that the worker needs.

    Attributes:
        name: As in the metric ``livekit_errors_total``.
        usual_ms: How long it usually takes.
    """

    name: str
    path: str
    model: str
    usual_ms: int

    @property
    def is_stream(self) -> bool:
        return self.name == "stt"


STT = Part("stt", "/v1/listen", _DEFAULTS["deepgram_model"].default, 200)
FAST = Part("fast_llm", "/v1/chat/completions", _DEFAULTS["groq_fast_model"].default, 150)
MAIN = Part("main_llm", "/v1/chat/completions", _DEFAULTS["groq_main_model"].default, 600)
TTS = Part("tts", "/v1/audio/speech", _DEFAULTS["openai_tts_model"].default, 300)
PARTS = (STT, FAST, MAIN, TTS)

KINDS = ("refused", "silent", "slow", "429", "500", "401", "garbage", "cut")
TLS_KINDS = (EXPIRED, NO_TLS)
LASTING = ("once", "20 s", "for ever")

#: What the model server does itself, for as many requests as it is told. It counts them; Toxiproxy does not.
_ASKED_FOR: dict[str, dict[str, Any]] = {
    "429": {"kind": "status", "status": 429, "retry_after": 1},
    "500": {"kind": "status", "status": 500},
    "401": {"kind": "status", "status": 401},
    "garbage": {"kind": "garbage"},
    "silent": {"kind": "silent"},
    "cut": {"kind": "cut", "messages": 3},
}


async def begin(world: World, parts: tuple[Part, ...], kind: str, lasting: str) -> None:
    """Make it fail from now on: the next request, or all until :meth:`World.heal`."""
    for part in parts:
        if kind in ("429", "500", "401", "garbage") or (lasting == "once" and kind in ("silent", "cut")):
            continue
        if kind == "refused":
            await world.proxy.refuse(part.name)
        elif kind == "silent":
            await world.proxy.add(part.name, "timeout", timeout=0)
        elif kind == "slow":
            await world.proxy.add(part.name, "latency", latency=part.usual_ms * (SLOW - 1))
        elif kind == "cut":
            await world.proxy.add(part.name, "limit_data", bytes=_CUT_AFTER[part.name])
        elif world.tls and kind in TLS_KINDS:
            await world.proxy.send_to(part.name, world.tls.ports[kind])
    asked = (
        []
        if kind in ("refused", "slow", *TLS_KINDS) or (lasting != "once" and kind in ("silent", "cut"))
        else list(parts)
    )
    await world.ask_for(
        [
            {"path": part.path, "model": part.model, "requests": 1 if lasting == "once" else None, **_ASKED_FOR[kind]}
            for part in asked
        ]
    )
    for part in asked:
        if part.is_stream:  # it has been connected since the call began
            await world.proxy.hang_up(part.name)
