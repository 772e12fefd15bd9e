"""The command ``agent-worker`` of the installed package: a worker on either stack."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

from agent_worker.app import call_log
from agent_worker.app.bootstrap import prepare

if TYPE_CHECKING:
    from agent_worker.providers.stack import StackDefinition

STACKS = ("cloud", "self-hosted")
_EPILOG = """\
commands:
  start           run the worker (the default)
  check           check everything that a conversation depends on, and say what to do
  call            show the turns of one call, from the worker's log
  phrases         list, check, migrate and speak the phrases that come before an answer
  dev, console, connect, download-files
                  commands of LiveKit Agents

`agent-worker COMMAND --help` lists the options of a command. Settings are read from the environment and `.env`.
"""

if multiprocessing.parent_process() is not None:
    prepare()  # a call process, where those are spawned: before it imports livekit


def main() -> None:
    """Run the command line."""
    stack_name, sys.argv[1:] = parse(sys.argv[1:])
    if sys.argv[1:2] == ["call"]:  # it reads a log, and needs neither settings nor a folder for metrics
        sys.exit(call_log.main(sys.argv[2:], "agent-worker call"))
    prepare()  # before livekit is imported, which the imports below do
    from agent_worker.app import worker
    from agent_worker.providers.optional_deps import MissingExtraError

    try:
        stack = load_stack(stack_name)
    except MissingExtraError as error:
        print(f"agent-worker: {error}", file=sys.stderr)
        sys.exit(2)
    worker.run(stack)


def parse(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the name of the stack, and the remaining arguments: LiveKit's, or those of ``check`` and ``phrases``."""
    parser = argparse.ArgumentParser(
        prog="agent-worker",
        usage="%(prog)s [--stack {cloud,self-hosted}] [COMMAND …]",
        description="A LiveKit voice agent that says a fitting phrase while the answer is on its way.",
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
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    options, rest = parser.parse_known_args(arguments)
    if rest and rest[0] in ("-h", "--help"):
        parser.print_help()
        sys.exit(0)
    if options.version:
        print(metadata.version("agent-worker"))
        sys.exit(0)
    return options.stack, rest


def load_stack(name: str) -> StackDefinition[Any]:
    """Import and return one of :data:`STACKS`.

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
