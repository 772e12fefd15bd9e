"""agent-metrics beside the worker, in a process that ends with it: one command, or one container, for both."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from pathlib import Path

from agent_metrics import writer
from agent_metrics.server.web_config import BadWebConfigError, load
from agent_worker.core.log import logger
from agent_worker.core.settings import BadSettingsError, WorkerSettings

_STOP_SECONDS = 10.0


def check_metrics(settings: WorkerSettings) -> None:
    """Check what :func:`serve_metrics` will use, and that the metrics folder is safe.

    Raises:
        BadSettingsError: If another user made the folder or may write to it, or the web config has problems.
    """
    refusal = writer.refusal()
    problems = [f"PROMETHEUS_MULTIPROC_DIR: {refusal}"] if refusal else []
    problems += web_config_problems(settings)
    if problems:
        raise BadSettingsError(problems)


def web_config_problems(settings: WorkerSettings) -> list[str]:
    """Return every problem of the file that ``METRICS_WEB_CONFIG_FILE`` names, with the name of the setting."""
    path = settings.metrics_web_config_file
    try:
        if path:
            load(path)
    except BadWebConfigError as error:
        return [f"METRICS_WEB_CONFIG_FILE: {path}: {problem}" for problem in error.problems]
    return []


def serve_metrics(settings: WorkerSettings) -> subprocess.Popen[bytes] | None:
    """Serve the metrics of all workers in ``PROMETHEUS_MULTIPROC_DIR``, if ``METRICS_PORT`` is set.

    Call it once :func:`prepare` was. A service that cannot start, as its port is taken, says so by itself; the worker
    goes on without.

    Returns:
        The service, which is stopped when this process ends.
    """
    if settings.metrics_port is None:
        return None
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        logger.warning("metrics are not served: this worker has no folder for them")
        return None
    command = [sys.executable, "-m", "agent_metrics", *_options(settings, Path(folder).parent)]
    # A session of its own: it outlives the Ctrl-C that lets the worker's calls finish. Its input ends with the worker,
    # however that ends.
    service = subprocess.Popen([*command, "--until-stdin-ends"], stdin=subprocess.PIPE, start_new_session=True)
    atexit.register(_stop, service)
    return service


def _options(settings: WorkerSettings, root: Path) -> list[str]:
    options = ["--dir", str(root), "--host", settings.metrics_host, "--port", str(settings.metrics_port)]
    if path := settings.metrics_web_config_file:
        options += ["--web.config.file", str(path)]
    return options


def _stop(service: subprocess.Popen[bytes]) -> None:
    service.terminate()
    try:
        service.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:  # a disk that hangs. It loses nothing by that: it is made for kill -9
        service.kill()
