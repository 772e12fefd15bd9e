"""`python -m model_server`: load the models and serve them until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import uvicorn

from http_service.server import exit_misconfigured, listen
from model_server.app import create_app
from model_server.backends import Backends
from model_server.checksum import WeightsError
from model_server.real import (
    DEFAULT_FAST_MODEL,
    DEFAULT_MAIN_MODEL,
    DEFAULT_VOICE,
    VOICES,
    ModelChoice,
    real_backends,
)
from model_server.simulation import ConfigError, load_config, simulated_backends
from model_server.weights import LANGUAGE_MODELS

T = TypeVar("T")


def main() -> None:
    """Run the command; exit with 2 if a configuration, a weight file or the port is at fault."""
    args = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        # Before the models, which take seconds to load, so that a taken port is reported at once.
        listener = listen(args.host, args.port)
        if args.simulated:
            backends: Backends = simulated_backends(load_config(args.simulated))
        else:
            choice = ModelChoice(args.main_model, args.fast_model, args.voice, args.llm_threads)
            backends = asyncio.run(real_backends(_report_progress, choice))
    except (WeightsError, ConfigError, OSError) as error:
        exit_misconfigured("model_server", str(error))
    _serve(listener, backends, args.api_key)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m model_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--api-key", help="refuse requests without this key (default: accept any)")
    parser.add_argument("--simulated", metavar="FILE.json|default", help="simulate the models as this file says")
    models = f"one of {', '.join(LANGUAGE_MODELS)}, or the path of a GGUF file (default: %(default)s)"
    parser.add_argument(
        "--main-model", metavar="NAME|PATH", default=DEFAULT_MAIN_MODEL, help=f"the model that answers: {models}"
    )
    parser.add_argument(
        "--fast-model", metavar="NAME|PATH", default=DEFAULT_FAST_MODEL, help=f"the model that speaks first: {models}"
    )
    parser.add_argument("--voice", choices=VOICES, default=DEFAULT_VOICE, help="the voice (default: %(default)s)")
    parser.add_argument(
        "--llm-threads", type=int, default=1, help="CPU threads of each language model (default: %(default)s)"
    )
    return parser.parse_args()


def _report_progress(name: str, load: Callable[[], T]) -> T:
    started = time.perf_counter()
    result = load()
    print(f"{name}: {time.perf_counter() - started:.1f} s", flush=True)
    return result


class _Server(uvicorn.Server):
    """Prints a line once it accepts connections."""

    ready_line = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self.ready_line, flush=True)


def _serve(listener: socket.socket, backends: Backends, api_key: str | None) -> None:
    config = uvicorn.Config(
        create_app(backends, api_key),
        log_level="warning",
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    server = _Server(config)
    host, port = listener.getsockname()[:2]
    server.ready_line = f"model server ready on http://{host}:{port} ({backends.mode})"
    server.run(sockets=[listener])
    _exit()


def _stop(number: int, frame: object) -> None:
    _exit()


def _exit() -> None:
    # A normal exit would wait for the sentence that a model's thread is synthesising, and there is nothing to save.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
