"""``fast-preresponse.py``, but the fast model has an address of its own: one of Groq's two can fail alone."""

from __future__ import annotations

from agent_worker.environment import prepare

prepare()  # before livekit is imported

from dataclasses import replace  # noqa: E402

from agent_worker import worker  # noqa: E402
from agent_worker.cloud import CLOUD  # noqa: E402
from agent_worker.settings import CloudSettings, HttpUrl  # noqa: E402
from agent_worker.stack import StackDefinition, VoiceStack  # noqa: E402


class Settings(CloudSettings):
    fast_base_url: HttpUrl


def build(settings: Settings) -> VoiceStack:
    elsewhere = settings.model_copy(update={"groq_base_url": settings.fast_base_url})
    return replace(CLOUD.build(settings), fast_llm=CLOUD.build(elsewhere).fast_llm)


if __name__ == "__main__":
    worker.run(StackDefinition("faults", Settings, build, CLOUD.providers))
