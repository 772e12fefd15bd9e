"""Prepare the process environment before livekit and prometheus_client are imported."""

from __future__ import annotations

import os
import secrets

from dotenv import load_dotenv

from agent_metrics import writer
from agent_worker.core.folders import Folders

#: The metrics folder that a process with this environment uses; empty if it could not be created.
_PREPARED = "AGENT_WORKER_METRICS_FOLDER"


def prepare() -> None:
    """Load ``.env`` and give this worker a metrics folder of its own.

    Call it before the first import of livekit: prometheus_client decides when it is imported, by
    ``PROMETHEUS_MULTIPROC_DIR``, whether it writes metrics to files that other processes can read; numpy, how many
    threads it starts.

    The folder is ``PROMETHEUS_MULTIPROC_DIR/worker-<random>``. A livekit ``AgentServer`` deletes every file
    in its metrics folder when it starts; in a shared one it would delete the other workers' metrics.
    Call processes, which run the script's imports again, inherit the worker's environment and keep its folder.
    In it each process has a folder with a lock: see :mod:`agent_metrics.writer`.
    """
    # Products of matrices are small here: threads for them cost more CPU than they save time, and forks must have none.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if os.environ.get(_PREPARED) != os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""):
        load_dotenv(".env")
        folder = str(Folders().prometheus_multiproc_dir / f"worker-{secrets.token_hex(6)}")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = os.environ[_PREPARED] = folder
    elif not os.environ.get(_PREPARED):
        return  # a call process of a worker that could not create the folder
    writer.install()
    if not os.path.isdir(os.environ["PROMETHEUS_MULTIPROC_DIR"]):
        # livekit fails if it cannot create the folder, but a worker without metrics can run calls.
        del os.environ["PROMETHEUS_MULTIPROC_DIR"]
        os.environ[_PREPARED] = ""
