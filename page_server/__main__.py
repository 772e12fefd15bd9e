"""``python -m page_server``: serve the page, and let its visitors into LiveKit rooms."""

from __future__ import annotations

import argparse
import logging
import socket
import sys

from dotenv import load_dotenv

from agent_worker.core.settings import BadSettingsError, load
from http_service.connections import limited_config
from http_service.server import Server, block_stop_signals, exit_with_problems, listen_or_exit
from page_server.app import create_app
from page_server.metrics import METRICS_PATH, PageMetrics
from page_server.settings import PageSettings

_PROGRAM = "page_server"


def main() -> None:
    """Run the page server until SIGINT or SIGTERM. Exit with code 2 if it cannot start."""
    block_stop_signals()
    argparse.ArgumentParser(
        prog="python -m page_server",
        description="Serve the page. Settings come from the environment and .env; .env.example explains each.",
    ).parse_args()
    load_dotenv(".env")
    settings, listener, health_listener = _prepare()
    for warning in _exposure_warnings(settings):
        print(f"{_PROGRAM}: {warning}", file=sys.stderr)
    host, port = listener.getsockname()[:2]
    origin = settings.page_origin or f"http://{'localhost' if host == '127.0.0.1' else host}:{port}"
    print(f"{_PROGRAM}: serving the page on {origin}", flush=True)
    _log_to_stderr()
    metrics = PageMetrics()
    proxies = settings.trusted_proxies
    config = limited_config(
        create_app(settings, metrics=metrics),
        settings.page_connections,
        exempt=proxies,
        forwarded_allow_ips=proxies,
        server_header=False,
    )
    Server(config, health_listener, {METRICS_PATH: metrics.page}).run(sockets=[listener])
    sys.exit(0)


def _log_to_stderr() -> None:
    """Log warnings, and of the page server itself what it lets in."""
    logging.basicConfig(format=f"{_PROGRAM}: %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger(_PROGRAM).setLevel(logging.INFO)


def _prepare() -> tuple[PageSettings, socket.socket, socket.socket | None]:
    try:
        settings = load(PageSettings)
    except BadSettingsError as error:
        exit_with_problems(_PROGRAM, error.problems)
    listener = listen_or_exit(_PROGRAM, settings.page_host, settings.page_port, "PAGE_HOST and PAGE_PORT")
    if settings.page_health_port is None:
        return settings, listener, None
    health = listen_or_exit(_PROGRAM, settings.page_host, settings.page_health_port, "PAGE_HEALTH_PORT")
    return settings, listener, health


def _exposure_warnings(settings: PageSettings) -> list[str]:
    """Return what the operator should know of a page that other machines can open."""
    if not settings.is_reachable_by_others:
        return []
    warnings = []
    if not settings.page_password:
        warnings.append(
            "PAGE_PUBLIC=1: ANYBODY who can reach this page can talk to the agent, and you pay for every call. "
            f"The only limits are those of calls: for each address {settings.page_calls_per_minute} a minute and "
            f"{settings.page_open_calls} at once, {settings.page_total_calls_per_minute} a minute for all."
        )
    if settings.page_origin and not settings.trusted_proxies:
        warnings.append(
            "FORWARDED_ALLOW_IPS is not set: if a proxy is in front of the page, all its callers share the limits of "
            "one address. Set it to the proxy's address (docs/page-server.md)."
        )
    if not str(settings.page_origin).startswith("https:"):
        warnings.append(
            "browsers allow the microphone only on pages from https:// or localhost, and a password sent over http can "
            "be intercepted: put a proxy with TLS in front of it and set PAGE_ORIGIN (docs/page-server.md)."
        )
    return warnings


if __name__ == "__main__":
    main()
