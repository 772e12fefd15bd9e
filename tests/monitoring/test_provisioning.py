from __future__ import annotations

import yaml

from monitoring import board
from monitoring.prometheus_server import CONFIG

PROVISIONING = board.FOLDER.parent / "provisioning"


def test_grafana_knows_how_often_prometheus_scrapes() -> None:
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["type"] == "prometheus"
    scrape_interval = yaml.safe_load(CONFIG.read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scrape_interval


def test_dashboards_are_loaded_from_a_folder_and_not_changed_by_hand() -> None:
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "agent-worker.yml").read_text())["providers"]
    assert provider["type"] == "file"
    assert not provider["allowUiUpdates"]
    assert all(not board.load(path.stem)["editable"] for path in board.FOLDER.glob("*.json"))
