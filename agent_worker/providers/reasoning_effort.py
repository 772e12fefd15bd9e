"""How little a model may be asked to reason: the caller waits for every token of it."""

from __future__ import annotations

import re
from typing import Any

from agent_worker.core.settings import ReasoningEffort

#: The lowest effort by the name of the model, the first match in force. gpt-oss cannot be told not to reason.
_LOWEST_AT_GROQ = ((r"gpt-oss", "low"), (r"qwen-?[3-9]", "none"))
_LOWEST_AT_OLLAMA = (
    (r"gpt-oss", "low"),
    (
        r"qwen-?[3-9](?!.*(coder|instruct))|qwq|deepseek-(r|v3\.[1-9]|v[4-9])|r1\b|magistral|think|reason|smollm-?3|glm-?[4-9]"
        r"|gemma-?[4-9]|nemotron|exaone|cogito|minimax|kimi-k2",
        "none",
    ),
)


def at_groq(model: str, setting: ReasoningEffort) -> dict[str, Any]:
    """Return the options of Groq's ``LLM``.

    Without the option livekit's plugin asks OpenAI's own models for their lowest effort.

    Args:
        model: Its name.
        setting: ``REASONING_EFFORT``.
    """
    return _options(model, setting, _LOWEST_AT_GROQ)


def at_ollama(model: str, setting: ReasoningEffort) -> dict[str, Any]:
    """Return the same for Ollama, which refuses an effort for a model that does not reason."""
    return _options(model, setting, _LOWEST_AT_OLLAMA)


def _options(model: str, setting: ReasoningEffort, lowest: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    if setting == "unset":
        return {}
    if setting != "auto":
        return {"reasoning_effort": setting}
    name = model.lower()
    effort = next((effort for pattern, effort in lowest if re.search(pattern, name)), None)
    return {"reasoning_effort": effort} if effort else {}
