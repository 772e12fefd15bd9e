"""Folders on disk that outlive a process: metrics files and the cache."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agent_metrics import writer
from agent_worker.core.settings import FromEnvironment


class Folders(FromEnvironment):
    """Folders for data that outlives a process."""

    prometheus_multiproc_dir: Path = Field(
        default=Path(writer.DEFAULT_ROOT),
        description="Folder where the worker writes its metrics and agent-metrics reads them.",
    )
    agent_worker_cache: Path | None = Field(
        default=None,
        description="Cache of files that take long to create or download: models, audio of the phrases. Unset: "
        "~/.cache/agent-worker.",
    )


def cache_dir() -> Path:
    """Return the cache folder: ``AGENT_WORKER_CACHE``, or ``~/.cache/agent-worker`` if that is unset."""
    return Folders().agent_worker_cache or Path.home() / ".cache" / "agent-worker"
