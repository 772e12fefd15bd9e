"""A Prometheus beside a system on this machine: how to run it, and a client of its HTTP API."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import yaml  # type: ignore[import-untyped]

from monitoring.board import Target, TimeRange, resolve
from testbed.services import Service, find_binary

CONFIG = Path(__file__).resolve().parent / "prometheus" / "prometheus.yml"
Labels = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Series:
    """A time series of Prometheus: its labels, Unix times, and the value at each."""

    labels: Labels
    times: tuple[float, ...]
    values: tuple[float, ...]


class QueryError(Exception):
    """Prometheus refused a query or failed to run it."""


def service(port: int, targets: Mapping[str, int], folder: Path, scrape_interval: int = 1) -> Service:
    """Describe a Prometheus with the project's configuration, for a system on this machine.

    Args:
        port: Where it listens, on loopback.
        targets: What it scrapes: a port on loopback for each name of a job.
        folder: For its configuration and data.
        scrape_interval: Seconds between scrapes, and between evaluations of the rules.
    """
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": f"{scrape_interval}s", "evaluation_interval": f"{scrape_interval}s"}
    config["rule_files"] = [str(_rules_of_one_interval(name, folder)) for name in config["rule_files"]]
    config["scrape_configs"] = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]} for job, target in targets.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    config_file = folder / "prometheus.yml"
    config_file.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        find_binary("prometheus"),
        f"--config.file={config_file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    return Service("Prometheus", command, 30, ready_url=f"http://127.0.0.1:{port}/-/ready")


class Prometheus:
    """A client of Prometheus' HTTP API."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    async def value(self, query: str, at: float | None = None) -> list[Series]:
        """Return the last value of each series."""
        data = await self._request("query", {"query": query, **({"time": str(at)} if at is not None else {})})
        if data["resultType"] == "scalar":
            return [_series({}, [data["result"]])]
        return [_series(series["metric"], [series["value"]]) for series in data["result"]]

    async def line(self, query: str, time_range: TimeRange) -> list[Series]:
        """Return the points of each series over a time range."""
        limits = {"start": time_range.start, "end": time_range.end, "step": time_range.step}
        data = await self._request("query_range", {"query": query, **{name: str(at) for name, at in limits.items()}})
        return [_series(series["metric"], series["values"]) for series in data["result"]]

    async def ask(self, target: Target, time_range: TimeRange, variables: Mapping[str, str]) -> list[Series]:
        """Run one of a panel's queries as Grafana would."""
        query = resolve(target.expr, time_range, variables)
        return await (self.value(query, time_range.end) if target.instant else self.line(query, time_range))

    async def rules(self) -> list[dict[str, Any]]:
        """Return every rule that it evaluates, with its health."""
        data = await self._request("rules", {})
        return [rule for group in data["groups"] for rule in group["rules"]]

    async def targets(self) -> int:
        """Return how many targets it has found to scrape: none at first, then all that are configured."""
        return len((await self._request("targets", {}))["activeTargets"])

    async def _request(self, endpoint: str, parameters: Mapping[str, str]) -> Any:
        method = "POST" if parameters else "GET"  # queries may be long, and rules accept GET only
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, f"{self._url}/{endpoint}", data=parameters or None) as response,
        ):
            answer = await response.json()
        if answer["status"] != "success":
            raise QueryError(f"{answer['error']}: {parameters.get('query', endpoint)}")
        return answer["data"]


def _rules_of_one_interval(name: str, folder: Path) -> Path:
    """Copy a file of rules so that all are evaluated at the global interval: a short run has them all."""
    rules = yaml.safe_load((CONFIG.parent / name).read_text(encoding="utf-8"))
    for group in rules["groups"]:
        group.pop("interval", None)
    copy = folder / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(yaml.safe_dump(rules), encoding="utf-8")
    return copy


def _series(labels: Labels, points: list[tuple[float, str]]) -> Series:
    return Series(labels, tuple(float(at) for at, _ in points), tuple(float(value) for _, value in points))
