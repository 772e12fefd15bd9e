from __future__ import annotations

import pytest

from reference.licences import is_allowed, licences


def test_every_package_that_the_worker_and_the_page_need_has_a_licence_that_is_allowed() -> None:
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
def test_all_of_and_and_one_of_or_have_to_be_allowed(licence: str, allowed: bool) -> None:
    assert is_allowed(licence) is allowed
