"""``agent-worker``: both stacks behind one command, for those who have installed the package."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

from agent_worker.app.bootstrap import prepare

if TYPE_CHECKING:
    from agent_worker.providers.stack import StackDefinition

STACKS = ("cloud", "self-hosted")
_EPILOG = """\
commands:
  start           run the worker; without a command, this
  check           look at everything that a conversation depends on, and say what to do
  dev, console, connect, download-files
                  LiveKit's own

`agent-worker COMMAND --help` tells the options of one. Settings come from the environment and `.env`.
"""

if multiprocessing.parent_process() is not None:
    prepare()  # a call's process, where those are spawned: before it imports livekit


def main() -> None:
    stack_name, sys.argv[1:] = parse(sys.argv[1:])
    prepare()  # before livekit is imported, which all that follows does
    from agent_worker.app import worker
    from agent_worker.providers.optional_deps import MissingExtraError

    try:
        stack = load_stack(stack_name)
    except MissingExtraError as error:
        print(f"agent-worker: {error}", file=sys.stderr)
        sys.exit(2)
    worker.run(stack)


def parse(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The name of the stack, and what is left of the command line."""
    parser = argparse.ArgumentParser(
        prog="agent-worker",
        usage="%(prog)s [--stack {cloud,self-hosted}] [COMMAND …]",
        description="A LiveKit voice agent that never leaves the caller in silence.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--stack",
        choices=STACKS,
        default=STACKS[0],
        help="cloud: Groq, Deepgram, OpenAI (the default). self-hosted: Ollama, speaches, Kokoro",
    )
    parser.add_argument("--version", action="store_true", help="say which version this is")
    chosen, rest = parser.parse_known_args(arguments)
    if rest and rest[0] in ("-h", "--help"):
        parser.print_help()
        sys.exit(0)
    if chosen.version:
        print(metadata.version("agent-worker"))
        sys.exit(0)
    return chosen.stack, rest


def load_stack(name: str) -> StackDefinition[Any]:
    """One of :data:`STACKS`.

    Raises:
        MissingExtraError: If its packages are not installed.
    """
    if name == "cloud":
        from agent_worker.providers.cloud import CLOUD

        return CLOUD
    from agent_worker.providers.self_hosted import SELF_HOSTED

    return SELF_HOSTED


if __name__ == "__main__":
    main()
