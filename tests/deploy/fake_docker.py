"""Stands in for ``docker`` on the PATH: keeps containers and images in a JSON file, and notes each command."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

STATE = Path(os.environ.get("FAKE_DOCKER", ""))


def main(*arguments: str) -> int:
    state = json.loads(STATE.read_text())
    state["commands"].append(" ".join(arguments))
    code = _run(state, " ".join(arguments), arguments)
    state["fewest_ready"] = min(state["fewest_ready"], len(state["workers"]))
    STATE.write_text(json.dumps(state))
    return code


def _run(state: dict[str, Any], command: str, arguments: tuple[str, ...]) -> int:
    if any(re.search(pattern, command) for pattern in state["fails"]):
        if "--scale" in command:
            state["workers"]["unready"] = state["images"]["agent-worker"]
        return 1
    if command == "compose ps --quiet worker":
        print("\n".join(state["workers"]))
    elif command == "compose build worker":
        state["images"]["agent-worker"] = "new"
    elif command.startswith("compose run"):
        print("ledger", end="")
    elif scale := re.search(r"--scale worker=(\d+)", command):
        while len(state["workers"]) < int(scale[1]):
            state["made"] += 1
            state["workers"][f"made{state['made']}"] = state["images"]["agent-worker"]
    elif command.startswith("inspect"):
        print(state["workers"][arguments[-1]])
    elif command.startswith("image inspect"):
        if arguments[-1] not in state["images"]:
            return 1
        print(state["images"][arguments[-1]])
    elif command.startswith("image tag"):
        state["images"][arguments[-1]] = state["images"].get(arguments[-2], arguments[-2])
    elif command.startswith(("stop", "rm")):
        state["workers"].pop(arguments[-1], None)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
