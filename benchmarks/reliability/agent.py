"""``fast-preresponse.py`` with a separate address for the fast model, so that one of Groq's two models can fail alone.

On SIGUSR2 the process of a call allocates 1 GB of memory and keeps it.
"""

from __future__ import annotations

from agent_worker.app.bootstrap import prepare

prepare()  # before livekit is imported

import signal  # noqa: E402
from dataclasses import replace  # noqa: E402

from agent_worker.app import worker  # noqa: E402
from agent_worker.core.settings import CloudSettings, HttpUrl  # noqa: E402
from agent_worker.providers.cloud import CLOUD  # noqa: E402
from agent_worker.providers.stack import StackDefinition, VoiceStack  # noqa: E402


class Settings(CloudSettings):
    """Settings of the cloud stack and the fast model's address."""

    fast_base_url: HttpUrl


_allocated: list[bytearray] = []


def _allocate(*_: object) -> None:
    _allocated.append(bytearray(b"x") * 2**30)


def build(settings: Settings) -> VoiceStack:
    """Build the cloud stack with the fast model at its own address."""
    signal.signal(signal.SIGUSR2, _allocate)
    of_fast_model = settings.model_copy(update={"groq_base_url": settings.fast_base_url})
    return replace(CLOUD.build(settings), fast_llm=CLOUD.build(of_fast_model).fast_llm)


if __name__ == "__main__":
    worker.run(StackDefinition("faults", Settings, build, CLOUD.provider_probes))
