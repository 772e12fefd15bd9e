from __future__ import annotations

import pytest

from agent_worker.core.sealed import Sealer

SECRET, PURPOSE, CONTEXT = "a secret of the deployment", "a purpose", "RM_1"


def sealer(secret: str = SECRET, purpose: str = PURPOSE, context: str = CONTEXT) -> Sealer:
    return Sealer(secret, purpose, context)


def test_what_was_encrypted_is_read_with_the_same_secret_purpose_and_context() -> None:
    sealed = sealer().seal(b"the caller's words")
    assert sealer().unseal(sealed) == b"the caller's words"
    assert "words" not in sealed
    assert sealer().seal(b"the caller's words") != sealed  # the same words cannot be recognised


@pytest.mark.parametrize("other", [{"secret": "another"}, {"purpose": "another"}, {"context": "RM_2"}])
def test_nothing_is_read_with_another(other: dict[str, str]) -> None:
    assert sealer(**other).unseal(sealer().seal(b"words")) is None


@pytest.mark.parametrize("text", ["", "é", "not base64!", "YWJj", "A" * 5])
def test_nothing_is_read_from_what_is_not_sealed(text: str) -> None:
    assert sealer().unseal(text) is None


def test_nothing_is_read_from_what_is_not_whole() -> None:
    assert sealer().unseal(sealer().seal(b"words")[:-8]) is None


def test_changed_text_is_refused() -> None:
    sealed = sealer().seal(b"words")
    changed = sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]
    assert sealer().unseal(changed) is None
