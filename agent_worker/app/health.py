"""``python -m agent_worker.app.health``: whether what runs in this container is well, for a health check.

    python -m agent_worker.app.health                                  # the worker, and agent-metrics if it serves that
    python -m agent_worker.app.health http://localhost:9100/healthz    # whatever answers there

Ends with code 0, or 1 and a line for each address that does not answer with 200. It imports nothing big: it runs
every few seconds.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

from dotenv import load_dotenv

_TIMEOUT = 5.0
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever HTTP_PROXY says


def main() -> None:
    load_dotenv(".env")
    problems = [problem for url in sys.argv[1:] or addresses(os.environ) if (problem := problem_at(url))]
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


def addresses(environment: Mapping[str, str]) -> list[str]:
    """Where the worker of these settings tells how it is. None where its port is any free one, and nobody knows it."""
    worker = environment.get("WORKER_PORT") or "8081"
    metrics = environment.get("METRICS_PORT")
    found = [] if worker == "0" else [f"http://localhost:{worker}/"]
    return [*found, f"http://localhost:{metrics}/healthz"] if metrics else found


def problem_at(url: str) -> str | None:
    try:
        with _DIRECTLY.open(url, timeout=_TIMEOUT) as response:
            return None if response.status == 200 else f"{url}: {response.status}"
    except urllib.error.HTTPError as error:
        return f"{url}: {error.code} {error.read(200).decode(errors='replace').strip()}"
    except OSError as error:
        return f"{url}: {error}"


if __name__ == "__main__":
    main()
