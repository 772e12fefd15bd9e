"""The command line of ``check``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import warnings
from collections.abc import Sequence

from agent_worker.app.checkup.examination import examine
from agent_worker.app.checkup.findings import Finding
from agent_worker.app.checkup.report import Table, as_json, exit_code
from agent_worker.core.settings import SettingsT
from agent_worker.providers.stack import StackDefinition

DESCRIPTION = (
    "Look at everything that a conversation depends on: settings, files, the LiveKit server, and each provider with "
    "real requests (which cost what a few short sentences cost). "
    "Exit code 0: all is well. 1: something failed. 2: settings are missing or wrong."
)


def main(stack: StackDefinition[SettingsT], arguments: Sequence[str], program: str) -> int:
    """Run it.

    Args:
        stack: What to look at.
        arguments: What follows ``check`` on the command line.
        program: What the user has typed before them.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog=program, description=DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="write JSON instead of a table, when all is done")
    options = parser.parse_args(arguments)
    # The findings say it all, and logs of plugins may quote a request.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        findings = asyncio.run(_examine(stack, None if options.json else Table(sys.stdout)))
        if options.json:
            print(as_json(stack.name, findings), flush=True)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `check | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return exit_code(findings)


async def _examine(stack: StackDefinition[SettingsT], table: Table | None) -> list[Finding]:
    findings = []
    async for finding in examine(stack):
        findings.append(finding)
        if table:
            table.add(finding)
    if table:
        table.end(findings)
    return findings
