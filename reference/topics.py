"""``web/src/generated/topics.ts``: the names of ``agent_worker.room.topics`` for the page."""

from __future__ import annotations

import json

from agent_worker.room import topics

_HEAD = "// Written by `make reference` from agent_worker/room/topics.py, which explains each name.\n\n"


def render() -> str:
    """Return TypeScript constants with the same names and values."""
    names = {name: value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)}
    return _HEAD + "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in names.items())
