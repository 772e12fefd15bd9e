"""Tell whether a voice can make audio of a text."""

from __future__ import annotations


def is_pronounceable(text: str) -> bool:
    """Whether a text holds a letter or a digit. An emoji, a rule, zero-width spaces and a lone mark hold none."""
    return any(map(str.isalnum, text))
