from __future__ import annotations

import pytest

from reference.licences import is_allowed, licences


def test_every_package_of_worker_and_page_has_an_allowed_licence() -> None:
    listed = licences()
    assert {"livekit-agents", "pydantic", "npm livekit-client"} <= listed.keys()
    assert {name: licence for name, licence in listed.items() if not is_allowed(licence)} == {}


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("(Apache-2.0 AND BSD-3-Clause)", True),
        ("AGPL-3.0-only", False),
        ("", False),
    ],
)
def test_expression_is_allowed_if_all_of_and_or_any_of_or_are(licence: str, allowed: bool) -> None:
    assert is_allowed(licence) is allowed
