"""Folders on disk that outlive a process: metrics files and the cache."""

from __future__ import annotations

from pathlib import Path

from agent_metrics import writer
from agent_worker.core.settings import FromEnvironment


class Folders(FromEnvironment):
    """Where things are kept that outlive a process."""

    prometheus_multiproc_dir: Path = Path(writer.DEFAULT_ROOT)
    """Where the worker writes its metrics and agent-metrics reads them."""
    agent_worker_cache: Path | None = None
    """What took long to make or to fetch: model files, phrases' audio. Unset: ~/.cache/agent-worker."""


def cache_dir() -> Path:
    """Return the cache folder: ``AGENT_WORKER_CACHE``, or ``~/.cache/agent-worker`` if that is unset."""
    return Folders().agent_worker_cache or Path.home() / ".cache" / "agent-worker"
