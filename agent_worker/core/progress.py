"""How the chunks of a model that is at work, and has said no word yet, tell of it."""

from __future__ import annotations

from typing import Final

REASONING_CHARS_KEY: Final = "reasoning_chars"
"""Key of ``ChoiceDelta.extra``: how many characters of reasoning arrived with this chunk."""
TOOL_CALL_KEY: Final = "writes_tool_call"
"""Key of ``ChoiceDelta.extra``: the model writes the arguments of a tool call, which follows when it is complete."""
PROGRESS_KEYS: Final = frozenset({REASONING_CHARS_KEY, TOOL_CALL_KEY})
