"""agent-metrics beside the worker, in a process that ends with it: one command, or one container, for both."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from pathlib import Path

from agent_worker.core.log import logger

_STOP_SECONDS = 10.0


def serve_metrics(port: int) -> None:
    """Serve the metrics of all workers in ``PROMETHEUS_MULTIPROC_DIR``. Call it once :func:`prepare` was.

    A service that cannot start, as its port is taken, says so by itself; the worker goes on without.
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        logger.warning("metrics are not served: this worker has no folder for them")
        return
    command = [sys.executable, "-m", "agent_metrics", "--dir", str(Path(folder).parent), "--port", str(port)]
    # A session of its own: it outlives the Ctrl-C that lets the worker's calls finish. Its input ends with the worker,
    # however that ends.
    service = subprocess.Popen([*command, "--until-stdin-ends"], stdin=subprocess.PIPE, start_new_session=True)
    atexit.register(_stop, service)


def _stop(service: subprocess.Popen[bytes]) -> None:
    service.terminate()
    try:
        service.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:  # a disk that hangs. It loses nothing by that: it is made for kill -9
        service.kill()
