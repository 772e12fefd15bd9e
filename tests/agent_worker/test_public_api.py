"""The public API: what `from agent_worker import …` gives, and when it is loaded."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import agent_worker

API_PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


@pytest.mark.parametrize("name", agent_worker.__all__)
def test_every_public_name_can_be_imported_and_has_a_docstring(name: str) -> None:
    assert (getattr(agent_worker, name).__doc__ or "").strip()


def test_page_lists_exactly_the_public_names() -> None:
    names = API_PAGE.read_text().partition("## Events")[0]
    listed = re.findall(r"^\| `(\w+)`", names, re.MULTILINE)
    assert sorted(listed) == sorted(agent_worker.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = agent_worker.nothing


def test_livekit_is_not_imported_before_a_name_is_used() -> None:
    code = "import sys, agent_worker; assert not {'livekit', 'prometheus_client'} & sys.modules.keys(), sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
