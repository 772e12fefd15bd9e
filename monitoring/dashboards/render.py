"""The dashboards as the JSON that Grafana loads."""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from monitoring.board import FOLDER
from monitoring.dashboards import answering, overview, stages


def render() -> dict[Path, str]:
    """Return the content of each dashboard file."""
    return {
        FOLDER / f"{name}.json": json.dumps(_numbered(board), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
        for name, board in {
            "answering": answering.build(),
            "overview": overview.build(),
            "stages": stages.build(),
        }.items()
    }


def _numbered(builder: Dashboard) -> models.Dashboard:
    """Number the panels, because Grafana numbers those without an id anew at each load, which breaks links."""
    board = builder.build()
    for number, panel in enumerate(board.panels or [], start=1):
        panel.id_val = number
    return board
