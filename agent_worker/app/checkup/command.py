"""The command line of ``check``, and the order of its checks."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import warnings
from collections.abc import AsyncIterator, Sequence

from agent_worker.app.checkup import local
from agent_worker.app.checkup.livekit_server import check_livekit
from agent_worker.app.checkup.providers import check_providers
from agent_worker.app.checkup.report import Table, as_json, exit_code, supports_color
from agent_worker.core.check_result import CheckResult
from agent_worker.core.settings import SettingsT
from agent_worker.providers.preflight import http_session
from agent_worker.providers.stack import StackDefinition

DESCRIPTION = (
    "Check everything that a conversation depends on: settings, files, the LiveKit server, and each provider with "
    "real requests (which cost as much as a few short sentences). "
    "Exit code 0: all is well. 1: something failed. 2: settings are missing or wrong."
)


def main(stack: StackDefinition[SettingsT], arguments: Sequence[str], program: str) -> int:
    """Run ``check``.

    Args:
        stack: The stack to check.
        arguments: The command line after ``check``.
        program: The command line up to ``check``, for the help text.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog=program, description=DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table, at the end")
    options = parser.parse_args(arguments)
    # The results say everything, and log lines of plugins may quote a request.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    table = None if options.json else Table(sys.stdout, in_color=supports_color(sys.stdout, os.environ))
    try:
        results = asyncio.run(_run(stack, table))
        if options.json:
            print(as_json(stack.name, results), flush=True)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `check | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return exit_code(results)


async def run_checks(stack: StackDefinition[SettingsT]) -> AsyncIterator[CheckResult]:
    """Yield the result of each check as soon as it is known."""
    settings, results = local.read_settings(stack)
    for result in results:
        yield result
    if settings is None:
        for result in local.check_files_without_settings(os.environ):
            yield result
        return
    for result in local.check_files(stack, settings):
        yield result
    async with http_session() as http:
        async for result in local.check_machine(http, settings):
            yield result
        async for result in check_livekit(http, settings):
            yield result
        async for result in check_providers(http, stack, settings):
            yield result


async def _run(stack: StackDefinition[SettingsT], table: Table | None) -> list[CheckResult]:
    results = []
    async for result in run_checks(stack):
        results.append(result)
        if table:
            table.add(result)
    if table:
        table.end(results)
    return results
