"""What has to be in the process environment before livekit and prometheus_client are imported."""

from __future__ import annotations

import os
import secrets

from dotenv import load_dotenv

from agent_metrics import writer
from agent_worker.core.folders import Folders

_PREPARED = "AGENT_WORKER_METRICS_FOLDER"


def prepare() -> None:
    """Load ``.env`` and give this worker a metrics folder of its own.

    Call it before the first import of livekit: prometheus_client decides at its import, by
    ``PROMETHEUS_MULTIPROC_DIR``, whether metrics go to files that other processes can read.

    The folder is ``PROMETHEUS_MULTIPROC_DIR/worker-<random>``. A livekit ``AgentServer`` deletes every file
    in its metrics folder when it starts; in a shared one it would wipe the other workers' metrics.
    Job processes, which run the script's imports again, inherit the worker's environment and keep its folder.
    In it each process has a folder of its own, with a lock: see :mod:`agent_metrics.writer`.
    """
    if os.environ.get(_PREPARED) != os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""):
        load_dotenv(".env")
        folder = str(Folders().prometheus_multiproc_dir / f"worker-{secrets.token_hex(6)}")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = os.environ[_PREPARED] = folder
    elif not os.environ.get(_PREPARED):
        return  # a job of a worker that could not make the folder
    writer.install()
    if not os.path.isdir(os.environ["PROMETHEUS_MULTIPROC_DIR"]):
        # livekit would fail where it cannot make the folder, and a worker without metrics can still talk.
        del os.environ["PROMETHEUS_MULTIPROC_DIR"]
        os.environ[_PREPARED] = ""
