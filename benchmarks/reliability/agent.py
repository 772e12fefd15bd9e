"""``fast-preresponse.py``, but the fast model has an address of its own: one of Groq's two can fail alone.

A call's process takes 1 GB of memory, and keeps it, when it gets SIGUSR2.
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
    fast_base_url: HttpUrl


_taken: list[bytearray] = []


def _take_memory(*_: object) -> None:
    _taken.append(bytearray(b"x") * 2**30)


def build(settings: Settings) -> VoiceStack:
    signal.signal(signal.SIGUSR2, _take_memory)
    elsewhere = settings.model_copy(update={"groq_base_url": settings.fast_base_url})
    return replace(CLOUD.build(settings), fast_llm=CLOUD.build(elsewhere).fast_llm)


if __name__ == "__main__":
    worker.run(StackDefinition("faults", Settings, build, CLOUD.provider_probes))
