"""How does the network stand still? Packets to and from a server's ports on this machine are dropped."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterable

_PROGRAMS = ("iptables", "ip6tables")


def can_be_cut() -> bool:
    """Whether there is iptables, and we may use it."""
    return os.geteuid() == 0 and all(map(shutil.which, _PROGRAMS))


async def cut(ports: Iterable[int], seconds: float) -> None:
    """Let nothing through to or from these ports for so long."""
    rules = [
        ["INPUT", "--in-interface", "lo", "--protocol", protocol, side, str(port), "--jump", "DROP"]
        for port in ports
        for protocol in ("tcp", "udp")
        for side in ("--sport", "--dport")
    ]
    try:
        await asyncio.to_thread(_change, "--append", rules)
        await asyncio.sleep(seconds)
    finally:
        await asyncio.shield(asyncio.to_thread(_change, "--delete", rules))


def _change(how: str, rules: Iterable[list[str]]) -> None:
    for rule in rules:
        for program in _PROGRAMS:
            subprocess.run([program, "--wait", how, *rule], check=how == "--append", capture_output=True)
