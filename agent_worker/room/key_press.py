"""Press keys of the telephone: a tool of the main model, for the menus that answer calls of the agent."""

from __future__ import annotations

from typing import Any

from livekit.agents import FunctionTool, RunContext, StopResponse, ToolError, function_tool
from livekit.agents.beta.tools import send_dtmf_events
from livekit.agents.beta.workflows.utils import DtmfEvent

from agent_worker.room.keypad import KEYS

TOOL_NAME = "press_keys"
_DESCRIPTION = (
    "Press keys of the telephone, such as '2' or '415#'. A phone menu has answered the call: press the keys that it "
    "offers for what you call about, and say nothing then. Answer by voice what it wants to hear spoken, such as who "
    "calls and why."
)
#: An extension, a customer number and its end; more is a mistake of the model.
_MAX_KEYS = 32
#: How livekit-agents' tool begins to tell of a failure.
_FAILED = "Failed"


def press_keys_tool() -> FunctionTool[Any, Any]:
    """Return the tool. After the keys the agent says nothing: what the menu says next is answered."""

    @function_tool(name=TOOL_NAME, description=_DESCRIPTION)
    async def press_keys(context: RunContext[Any], keys: str) -> None:
        pressed = [key for key in keys.upper() if not key.isspace()]
        if not 0 < len(pressed) <= _MAX_KEYS or not KEYS.issuperset(pressed):
            raise ToolError(f"No key was pressed: give 1 to {_MAX_KEYS} of 0 to 9, * and #.")
        told = await send_dtmf_events(context, [DtmfEvent(key) for key in pressed])
        if told.startswith(_FAILED):
            raise ToolError("The keys could not be pressed. Go on by voice.")
        raise StopResponse

    return press_keys
