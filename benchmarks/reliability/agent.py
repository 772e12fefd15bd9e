"""``fast-preresponse.py``, but the fast model has an address of its own: one of Groq's two can fail alone."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

_SCRIPT = runpy.run_path(str(Path(__file__).resolve().parents[2] / "fast-preresponse.py"), run_name="cloud")

from agent_worker import worker  # noqa: E402  after the script, which prepares the environment
from agent_worker.settings import CloudSettings, HttpUrl  # noqa: E402
from agent_worker.stack import VoiceStack  # noqa: E402


class Settings(CloudSettings):
    fast_base_url: HttpUrl


def build_stack(settings: Settings) -> VoiceStack:
    fast = _SCRIPT["build_stack"](settings.model_copy(update={"groq_base_url": settings.fast_base_url})).fast_llm
    stack: VoiceStack = replace(_SCRIPT["build_stack"](settings), fast_llm=fast)
    return stack


if __name__ == "__main__":
    worker.run(Settings, build_stack, _SCRIPT["providers"])
