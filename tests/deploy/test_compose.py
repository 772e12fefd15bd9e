"""deploy/compose/compose.yaml as Docker Compose reads and validates it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from agent_worker.core.settings import WorkerSettings
from agent_worker.lifecycle.worker_status import READY_PATH
from call_guard.app import WEBHOOK_PATH
from call_guard.settings import GuardSettings
from caller.canary.settings import CanarySettings
from reference.sections import SECTIONS
from tests.files import ROOT, tracked

FOLDER = ROOT / "deploy" / "compose"
MONITORING = ROOT / "monitoring"
COMPOSE = Path(sys.prefix) / "bin" / "docker-compose"
REQUIRED = ("GRAFANA_PASSWORD", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "PAGE_PASSWORD", "REDIS_PASSWORD")
#: The metrics folder of the image, where a shared volume is mounted.
METRICS = "/run/agent-worker/metrics"
#: The alert CanarySilent.
ALERTED_AFTER_S = 1200

pytestmark = pytest.mark.skipif(not COMPOSE.exists(), reason="Docker Compose is installed for Python 3.11 and newer")


def run(folder: Path, *arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Compose on a copy of the project's files with this ``.env``."""
    project = folder / "deploy" / "compose"
    if not project.exists():
        shutil.copytree(FOLDER, project, ignore=shutil.ignore_patterns(".env"))
        (folder / "monitoring").symlink_to(MONITORING)
    (project / ".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    return subprocess.run(
        [COMPOSE, *arguments], cwd=project, env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The project as Compose resolves it."""
    folder = tmp_path_factory.mktemp("compose")
    result = run(
        folder,
        *("--profile", "local", "--profile", "canary", "config", "--format", "json"),
        env=dict.fromkeys(REQUIRED, "secret of a test"),
    )
    assert result.returncode == 0, result.stderr
    assert not result.stderr
    found: dict[str, Any] = json.loads(result.stdout.replace(str(folder), str(ROOT)))
    return found


@pytest.fixture(scope="module")
def services(project: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = project["services"]
    return found


def test_unknown_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("services: {worker: {imagee: agent-worker}}")
    env = dict.fromkeys(REQUIRED, "x")
    result = run(tmp_path, "-f", "compose.yaml", "-f", str(tmp_path / "wrong.yaml"), "config", "--quiet", env=env)
    assert result.returncode != 0
    assert "imagee" in result.stderr


@pytest.mark.parametrize("name", REQUIRED)
def test_there_is_no_default_password_or_key(tmp_path: Path, name: str) -> None:
    env = {other: "x" for other in REQUIRED if other != name}
    result = run(tmp_path, "config", "--quiet", env=env)
    assert result.returncode != 0
    assert f"required variable {name} is missing a value: put it into .env, see env.example" in result.stderr


def test_times_of_each_turn_are_in_the_log_unless_the_operator_wants_otherwise(
    services: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    assert services["worker"]["environment"]["TURN_LOG"] == "timing"
    env = {**dict.fromkeys(REQUIRED, "x"), "TURN_LOG": "off"}
    result = run(tmp_path, "config", "worker", "--format", "json", env=env)
    assert json.loads(result.stdout)["services"]["worker"]["environment"]["TURN_LOG"] == "off"


def test_images_are_pinned_by_version(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert "build" in service or re.search(r":v?\d+\.\d+", service["image"]), name


def test_only_media_ports_are_reachable_from_other_machines(services: dict[str, dict[str, Any]]) -> None:
    published = [
        (name, f"{port['published']}/{port['protocol']}", port.get("host_ip"))
        for name, service in services.items()
        for port in service.get("ports", ())
    ]
    assert sorted(published, key=str) == [
        ("grafana", "3000/tcp", "127.0.0.1"),
        ("livekit", "7880/tcp", "127.0.0.1"),
        ("livekit", "7881/tcp", None),
        ("livekit", "7882/udp", None),
        ("page", "8080/tcp", "127.0.0.1"),
    ]


def listening(services: dict[str, dict[str, Any]], name: str) -> set[int]:
    service = services[name]
    return {int(port) for port in service.get("expose", ())} | {port["target"] for port in service.get("ports", ())}


def test_every_address_names_a_service_that_listens_on_its_port(services: dict[str, dict[str, Any]]) -> None:
    named = list(addresses(services))
    assert {host for _, host, _ in named} > {"livekit", "redis", "agent-metrics", "prometheus", "ollama"}
    for where, host, port in named:
        assert host in services, f"{where}: no service {host}"
        assert port in listening(services, host), f"{where}: {host} does not listen on {port}"
        from_service = {"prometheus.yml": "prometheus", "livekit.yaml": "livekit"}.get(where, where)
        if from_service in services:
            assert services[from_service]["networks"].keys() & services[host]["networks"].keys(), f"{where} to {host}"


def test_networks_keep_apart_what_does_not_talk_to_each_other(project: dict[str, Any]) -> None:
    members = {
        network: {name for name, service in project["services"].items() if network in service["networks"]}
        for network in project["networks"]
    }
    assert members == {
        "calls": {"canary", "guard", "livekit", "page", "worker"},
        "signalling": {"livekit", "redis"},
        "metrics": {
            *("agent-metrics", "canary", "grafana", "guard", "livekit", "page", "prometheus", "pushgateway"),
        },
        "grafana": {"grafana"},
        "models": {"kokoro", "ollama", "ollama-models", "speaches", "speaches-model", "worker"},
    }
    assert {name for name, network in project["networks"].items() if network.get("internal")} == {
        "metrics",
        "signalling",
    }


def addresses(services: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, int]]:
    """Yield source, host and port of each address that a container uses; `localhost` in a health check is itself."""
    for name, service in services.items():
        texts = [*(service.get("environment") or {}).values(), *(service.get("command") or ())]
        for host, port in re.findall(r"\w+://([\w.-]+):(\d+)", " ".join(texts)):
            if host != "localhost":  # the page's, for the browser
                yield name, host, int(port)
        for port in re.findall(r"://(?:localhost|127\.0\.0\.1):(\d+)", " ".join(health_check_of(service))):
            yield f"health of {name}", name, int(port)
    for job in yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]:
        for target in job["static_configs"][0]["targets"] if "static_configs" in job else ():
            yield "prometheus.yml", target.partition(":")[0], int(target.partition(":")[2])
        for name in job.get("dns_sd_configs", ()):
            yield "prometheus.yml", name["names"][0], name["port"]
    livekit = yaml.safe_load((FOLDER / "livekit.yaml").read_text())
    redis = livekit["redis"]["address"]
    yield "livekit.yaml", redis.partition(":")[0], int(redis.partition(":")[2])
    for url in map(urlsplit, livekit["webhook"]["urls"]):
        yield "livekit.yaml", str(url.hostname), int(url.port or 0)


def health_check_of(service: dict[str, Any]) -> list[str]:
    return list(service.get("healthcheck", {}).get("test", ()))


def test_livekit_listens_on_what_is_published(services: dict[str, dict[str, Any]]) -> None:
    config = yaml.safe_load((FOLDER / "livekit.yaml").read_text())
    ports = {config["port"], config["rtc"]["tcp_port"], config["rtc"]["udp_port"], config["prometheus"]["port"]}
    assert ports == listening(services, "livekit")


def test_no_token_outlives_the_room_that_the_page_made_for_its_call(services: dict[str, dict[str, Any]]) -> None:
    assert yaml.safe_load((FOLDER / "livekit.yaml").read_text())["room"]["auto_create"] is False
    assert services["worker"]["environment"]["WORKER_PAGE_ROOMS_ONLY"] == "true"


def test_guard_requests_agents_only_for_rooms_that_the_worker_accepts(services: dict[str, dict[str, Any]]) -> None:
    guard, worker = services["guard"]["environment"], services["worker"]["environment"]
    assert guard["GUARD_PAGE_ROOMS_ONLY"] == worker["WORKER_PAGE_ROOMS_ONLY"]
    assert set(guard) <= {field.upper() for field in GuardSettings.model_fields}


def test_canary_runs_with_its_profile_only_and_knows_no_providers_key(services: dict[str, dict[str, Any]]) -> None:
    canary = services["canary"]
    assert canary["profiles"] == services["pushgateway"]["profiles"] == ["canary"]
    assert set(canary["environment"]) <= {field.upper() for field in CanarySettings.model_fields}
    assert "env_file" not in canary
    assert 2 * int(canary["environment"]["CANARY_INTERVAL"]) < ALERTED_AFTER_S


def test_result_of_the_canary_keeps_its_job() -> None:
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    assert {job["job_name"] for job in jobs if job.get("honor_labels")} == {"pushgateway"}


def test_livekit_signs_its_webhooks_with_the_key_that_the_guard_checks(services: dict[str, dict[str, Any]]) -> None:
    key = services["guard"]["environment"]["LIVEKIT_API_KEY"]
    assert services["livekit"]["environment"]["LIVEKIT_WEBHOOK_API_KEY"] == key
    (url,) = yaml.safe_load((FOLDER / "livekit.yaml").read_text())["webhook"]["urls"]
    assert urlsplit(url).path == WEBHOOK_PATH


def test_page_believes_forwarded_addresses_from_the_proxy_on_this_machine_only(project: dict[str, Any]) -> None:
    page = project["services"]["page"]
    networks = (project["networks"][name] for name in page["networks"])
    (network,) = (each for each in networks if not each.get("internal"))  # an internal one has no published ports
    (subnet,) = network["ipam"]["config"]
    assert page["environment"]["FORWARDED_ALLOW_IPS"] == subnet["gateway"]


def test_worker_is_healthy_once_it_is_registered_with_livekit(services: dict[str, dict[str, Any]]) -> None:
    assert f"http://localhost:8081{READY_PATH}" in health_check_of(services["worker"])


def test_health_of_the_page_is_asked_where_callers_cannot_connect(services: dict[str, dict[str, Any]]) -> None:
    port = services["page"]["environment"]["PAGE_HEALTH_PORT"]
    assert f"http://localhost:{port}/healthz" in health_check_of(services["page"])
    assert int(port) not in {published["target"] for published in services["page"]["ports"]}


def test_livekit_gets_key_and_secret_as_strings(tmp_path: Path) -> None:
    env = {**dict.fromkeys(REQUIRED, "x"), "LIVEKIT_API_KEY": "7", "LIVEKIT_API_SECRET": "1e22"}
    services = json.loads(run(tmp_path, "config", "--format", "json", env=env).stdout)["services"]
    assert yaml.safe_load(services["livekit"]["environment"]["LIVEKIT_KEYS"]) == {"7": "1e22"}


def test_every_mounted_file_is_in_the_repository(services: dict[str, dict[str, Any]]) -> None:
    files = set(tracked())
    for name, service in services.items():
        for mount in (mount for mount in service.get("volumes", ()) if mount["type"] == "bind"):
            source = Path(mount["source"])
            assert any(file == source or source in file.parents for file in files), f"{name}: {source}"
            assert mount["read_only"], f"{name}: {source}"


def test_every_volume_is_used(project: dict[str, Any]) -> None:
    used = {
        mount["source"]
        for service in project["services"].values()
        for mount in service.get("volumes", ())
        if mount["type"] == "volume"
    }
    assert used == project["volumes"].keys()


def on_host(service: dict[str, Any], path: str) -> Path:
    """Return the file of the repository that is mounted at ``path``."""
    for mount in service["volumes"]:
        if Path(mount["target"]) in (Path(path), *Path(path).parents):
            return Path(mount["source"]) / Path(path).relative_to(mount["target"])
    raise AssertionError(f"nothing is mounted at {path}")


def test_prometheus_finds_its_rules_and_is_configured_as_without_containers(
    services: dict[str, dict[str, Any]],
) -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    alone = yaml.safe_load((MONITORING / "prometheus" / "prometheus.yml").read_text())
    assert config["global"] == alone["global"]
    assert config["rule_files"] == alone["rule_files"]
    assert alone["scrape_configs"][0]["job_name"] in {job["job_name"] for job in config["scrape_configs"]}
    for rules in config["rule_files"]:
        assert on_host(services["prometheus"], f"/etc/prometheus/{rules}").is_file()


def test_grafana_finds_prometheus_and_the_dashboards(services: dict[str, dict[str, Any]]) -> None:
    grafana = services["grafana"]
    for file in (MONITORING / "grafana" / "provisioning").rglob("*.yml"):
        for variable in re.findall(r"^[^#]*\$(\w+)", file.read_text(), re.MULTILINE):
            assert grafana["environment"][variable], f"{file.name} wants {variable}"
    assert list(on_host(grafana, grafana["environment"]["AGENT_WORKER_DASHBOARDS"]).glob("*.json"))
    assert (on_host(grafana, "/etc/grafana/provisioning") / "datasources").is_dir()


def test_agent_metrics_serves_the_metrics_of_the_worker(
    services: dict[str, dict[str, Any]],
) -> None:
    assert services["worker"]["environment"]["METRICS_PORT"] == ""
    assert f"PROMETHEUS_MULTIPROC_DIR={METRICS}" in (ROOT / "Dockerfile").read_text()
    shared = {
        mount["source"]
        for name in ("worker", "agent-metrics")
        for mount in services[name]["volumes"]
        if mount["target"] == METRICS
    }
    assert shared == {"metrics"}


def test_only_the_worker_has_provider_keys_and_it_has_no_password(tmp_path: Path) -> None:
    env = {**dict.fromkeys(REQUIRED, "secret of a test"), "GROQ_API_KEY": "a provider's key"}
    services = json.loads(run(tmp_path, "config", "--format", "json", env=env).stdout)["services"]
    knowing = [name for name, service in services.items() if "a provider's key" in json.dumps(service)]
    assert knowing == ["worker"]
    worker = services["worker"]["environment"]
    assert {name for name, value in worker.items() if value == "secret of a test"} == {
        "LIVEKIT_API_KEY",
        "LIVEKIT_API_SECRET",
    }


def test_dependencies_have_health_checks_and_models_are_ready_before_the_worker(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, service in services.items():
        for other, how in (service.get("depends_on") or {}).items():
            if how["condition"] == "service_healthy":
                assert health_check_of(services[other]), f"{name} waits for {other}, which has no health check"
            local = services[other].get("profiles") == ["local"] != service.get("profiles")
            assert how["required"] is not local, f"{name} without the profile `local` waits for {other}"
    conditions = {other: how["condition"] for other, how in services["worker"]["depends_on"].items()}
    assert conditions["ollama-models"] == conditions["speaches-model"] == "service_completed_successfully"
    assert conditions["kokoro"] == "service_healthy"


def test_stop_grace_period_is_longer_than_the_drain_timeout(services: dict[str, dict[str, Any]]) -> None:
    minutes = re.fullmatch(r"(\d+)m0s", services["worker"]["stop_grace_period"])
    assert minutes
    assert int(minutes[1]) * 60 > WorkerSettings().worker_drain_timeout


def test_env_example_lists_the_variables_of_compose_and_no_unused_ones() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (FOLDER / "compose.yaml").read_text()))
    listed = set(re.findall(r"^(?:# )?([A-Z_]+)=", (FOLDER / "env.example").read_text(), re.MULTILINE))
    settings = {setting.name for section in SECTIONS for setting in section.settings}
    assert asked - settings <= listed
    assert listed - asked - settings == {"COMPOSE_PROFILES"}
    assert {*REQUIRED} <= set(re.findall(r"^([A-Z_]+)=$", (FOLDER / "env.example").read_text(), re.MULTILINE))
