"""``python -m page_server``: serve the page, and let its visitors into LiveKit rooms."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

import uvicorn
from dotenv import load_dotenv

from agent_metrics.listener import listen
from agent_metrics.server import Server, hold_stop_signals
from agent_worker.core.settings import BadSettingsError, load
from page_server.settings import PageSettings
from page_server.web import create_app


def main() -> None:
    hold_stop_signals()
    argparse.ArgumentParser(
        prog="python -m page_server",
        description="Serve the page. Settings come from the environment and .env; .env.example explains each.",
    ).parse_args()
    load_dotenv(".env")
    try:
        settings = load(PageSettings)
        listener = listen(settings.page_host, settings.page_port)
    except BadSettingsError as error:
        _fail(f"cannot start: {len(error.problems)} problem(s) in its settings", *error.problems)
    except OSError as error:
        _fail(f"{error}. Choose another with PAGE_HOST and PAGE_PORT.")
    for warning in _warnings(settings):
        print(f"page_server: {warning}", file=sys.stderr)
    host, port = listener.getsockname()[:2]
    where = settings.page_origin or f"http://{'localhost' if host == '127.0.0.1' else host}:{port}"
    print(f"page_server: serving the page on {where}", flush=True)
    config = uvicorn.Config(
        create_app(settings),
        log_level="warning",
        server_header=False,
        limit_concurrency=500,
        timeout_graceful_shutdown=1,
    )
    Server(config).run(sockets=[listener])
    sys.exit(0)


def _warnings(settings: PageSettings) -> list[str]:
    found = []
    if settings.is_beyond_this_machine and not settings.page_password:
        found.append(
            "PAGE_PUBLIC=1: ANYBODY who can reach this page can talk to the agent, and you pay for every call. "
            f"All that holds them back is {settings.page_calls_per_minute} calls a minute for each address."
        )
    if settings.is_beyond_this_machine and not str(settings.page_origin).startswith("https:"):
        found.append(
            "browsers give the microphone only to pages from https:// or localhost, and a password sent over http can "
            "be read on its way: put a proxy with TLS before this, and set PAGE_ORIGIN (docs/page-server.md)."
        )
    return found


def _fail(message: str, *more: str) -> NoReturn:
    print("\n  - ".join((f"page_server: {message}", *more)), file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
