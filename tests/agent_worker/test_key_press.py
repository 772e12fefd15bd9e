"""The tool that presses keys of the telephone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import StopResponse, ToolError

from agent_worker.room.key_press import press_keys_tool


class Line:
    """The agent's participant; it keeps the keys that it sends."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[tuple[int, str]] = []
        self._error = error
        room = SimpleNamespace(local_participant=self)
        self.context: Any = SimpleNamespace(session=SimpleNamespace(room_io=SimpleNamespace(room=room)))

    async def publish_dtmf(self, *, code: int, digit: str) -> None:
        if self._error:
            raise self._error
        self.sent.append((code, digit))


async def test_keys_are_pressed_one_after_the_other_and_nothing_is_said() -> None:
    line = Line()
    with pytest.raises(StopResponse):
        await press_keys_tool()(line.context, keys="4 2*#a")
    assert line.sent == [(4, "4"), (2, "2"), (10, "*"), (11, "#"), (12, "A")]


@pytest.mark.parametrize("keys", ["", "  ", "call Paul", "1" * 33, "٤"])
async def test_what_no_telephone_has_is_not_pressed_and_the_model_is_told(keys: str) -> None:
    line = Line()
    with pytest.raises(ToolError, match="No key was pressed"):
        await press_keys_tool()(line.context, keys=keys)
    assert line.sent == []


async def test_model_is_told_if_the_keys_could_not_be_pressed() -> None:
    with pytest.raises(ToolError, match="could not be pressed"):
        await press_keys_tool()(Line(ConnectionError("s3cret")).context, keys="1")
