"""Command line: ``python -m tests.attack --page https://talk.example.com``."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from tests.attack import calls, metrics, page
from tests.attack.registry import ATTACKS, Attack, BreachError, Target, UnobservableError

_MODULES = (page, calls, metrics)
"""Imported for the attacks that they register."""


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.attack",
        description="Try the attacks of SECURITY.md on a running system of your own. Secrets come from the "
        "environment: PAGE_PASSWORD; LIVEKIT_API_KEY and LIVEKIT_API_SECRET to join a call as another participant.",
        epilog="Exit code 0: every attack that was tried failed. 1: one succeeded. 2: one could not be tried to its "
        "end, or none was tried.",
    )
    parser.add_argument("--page", default="", metavar="URL", help="the page, for example http://localhost:8080")
    parser.add_argument("--page-health", default="", metavar="URL", help="its health check on PAGE_HEALTH_PORT")
    parser.add_argument("--livekit", default="", metavar="URL", help="LiveKit, if not as the page says")
    parser.add_argument("--metrics", default="", metavar="URL", help="for example http://localhost:9100/metrics")
    parser.add_argument("--metrics-folder", type=Path, metavar="PATH", help="PROMETHEUS_MULTIPROC_DIR on this machine")
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"only these: {', '.join(ATTACKS)}")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.attacks) - ATTACKS.keys():
        parser.error(f"no attack {', '.join(sorted(unknown))}: use {', '.join(ATTACKS)}")
    return arguments


async def outcome(attack: Attack, target: Target) -> str:
    """Try an attack. Returns ``held``, or why not."""
    try:
        await attack.run(target)
    except BreachError as error:
        return f"BROKEN: {error}"
    except UnobservableError as error:
        return f"not tried: {error}"
    except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
        return f"FAILED: {type(error).__name__}: {error}"
    return "held"


async def attack_all(target: Target, names: Sequence[str]) -> int:
    """Try the attacks one after the other, and print what became of each. Returns the exit code."""
    found: list[str] = []
    for name in names:
        attack = ATTACKS[name]
        if missing := attack.missing(target):
            result = f"not tried: needs {', '.join(missing)}"
        else:
            result = await outcome(attack, target)
            found += [] if result.startswith("not tried") else [result]
        print(f"{name:22}{attack.goal:66}{result}", flush=True)
    if any(result.startswith("BROKEN") for result in found):
        return 1
    return 0 if found and all(result == "held" for result in found) else 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    arguments = _arguments(argv)
    target = Target(
        page=arguments.page,
        page_health=arguments.page_health,
        page_password=os.environ.get("PAGE_PASSWORD", ""),
        livekit=arguments.livekit,
        api_key=os.environ.get("LIVEKIT_API_KEY", ""),
        api_secret=os.environ.get("LIVEKIT_API_SECRET", ""),
        metrics=arguments.metrics,
        metrics_folder=arguments.metrics_folder,
    )
    return asyncio.run(attack_all(target, arguments.attacks or list(ATTACKS)))


if __name__ == "__main__":
    sys.exit(main())
