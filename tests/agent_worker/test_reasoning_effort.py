"""Models that reason are asked to do so as little as their provider allows; others are not asked at all."""

from __future__ import annotations

import pytest

from agent_worker.core.settings import ReasoningEffort
from agent_worker.providers.reasoning_effort import at_groq, at_ollama


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        ("openai/gpt-oss-120b", "low"),
        ("openai/gpt-oss-20b", "low"),
        ("qwen/qwen3-32b", "none"),
        ("qwen/qwen3.6-27b", "none"),
        ("llama-3.3-70b-versatile", None),
        ("moonshotai/kimi-k2-instruct", None),
        ("gpt-5.4", None),  # livekit's plugin knows OpenAI's own models
    ],
)
def test_effort_at_groq_is_the_lowest_that_it_allows(model: str, effort: str | None) -> None:
    assert at_groq(model, "auto") == ({"reasoning_effort": effort} if effort else {})


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        ("gpt-oss:20b", "low"),
        ("qwen3:8b", "none"),
        ("qwen3.5:9b", "none"),
        ("deepseek-r1:14b", "none"),
        ("magistral:24b", "none"),
        ("hf.co/someone/Qwen3-4B-Thinking-GGUF", "none"),
        ("llama3.3:70b", None),
        ("qwen2.5:7b", None),
        ("qwen3-coder:30b", None),
        ("mistral-small:24b", None),
    ],
)
def test_effort_at_ollama_is_the_lowest_that_it_allows(model: str, effort: str | None) -> None:
    assert at_ollama(model, "auto") == ({"reasoning_effort": effort} if effort else {})


@pytest.mark.parametrize("setting", ["none", "minimal", "low", "medium", "high"])
def test_setting_is_sent_as_it_is(setting: ReasoningEffort) -> None:
    assert at_groq("llama-3.3-70b-versatile", setting) == {"reasoning_effort": setting}
    assert at_ollama("qwen3:8b", setting) == {"reasoning_effort": setting}


def test_unset_leaves_it_to_the_provider() -> None:
    assert at_groq("openai/gpt-oss-120b", "unset") == {}
    assert at_ollama("qwen3:8b", "unset") == {}
