"""``python -m caller.canary``: call the agent, judge whether it answered, and tell Prometheus.

Exit codes: 0 the agent answered; 1 it did not; 2 the settings are wrong; 3 the result could not be pushed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from dotenv import load_dotenv

from agent_worker.core.settings import BadSettingsError, load
from caller.__main__ import silence_livekit_logs
from caller.canary.gateway import earlier_failures, push
from caller.canary.metrics import CanaryMetrics
from caller.canary.settings import CanarySettings
from caller.canary.trial import Trial, try_call
from caller.errors import InputError
from http_service.server import exit_with_problems

_PROGRAM = "canary"


def main() -> int:
    """Run the command; return its exit code."""
    argparse.ArgumentParser(
        prog="python -m caller.canary",
        description="Call the agent, judge whether it answered, and push the result. Settings come from the "
        "environment and .env; .env.example explains each.",
        epilog=" ".join((__doc__ or "").partition("\n\n")[2].split()),
    ).parse_args()
    load_dotenv(".env")
    try:
        settings = load(CanarySettings)
    except BadSettingsError as error:
        exit_with_problems(_PROGRAM, error.problems)
    silence_livekit_logs()
    try:
        return asyncio.run(_run(settings))
    except InputError as error:
        exit_with_problems(_PROGRAM, error.problems)
    except KeyboardInterrupt:
        return 130


async def _run(settings: CanarySettings) -> int:
    loop, metrics = asyncio.get_running_loop(), CanaryMetrics()
    while True:
        started = loop.time()
        trial = await try_call(settings)
        print(f"{_PROGRAM}: {describe(trial)}", flush=True)
        is_told = await asyncio.to_thread(tell, settings.canary_pushgateway_url, metrics, trial)
        if settings.canary_interval is None:
            return 3 if not is_told else 0 if trial.is_success else 1
        await asyncio.sleep(max(0.0, started + settings.canary_interval - loop.time()))


def describe(trial: Trial) -> str:
    """Return the result as one line."""
    return (
        f"answered after {trial.answer_s:.2f} s" if trial.answer_s is not None else f"{trial.outcome}: {trial.detail}"
    )


def tell(url: str | None, metrics: CanaryMetrics, trial: Trial) -> bool:
    """Push the result of a call; return False if that failed."""
    if url is None:
        return True
    try:
        metrics.record(trial, earlier_failures(url))
        push(url, metrics.registry)
    except (OSError, ValueError) as error:
        print(f"{_PROGRAM}: the result could not be pushed to {url}: {type(error).__name__}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: a thread of livekit's that calls into an interpreter at shutdown aborts the process.
    os._exit(code)
