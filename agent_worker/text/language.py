"""Language tags."""

from __future__ import annotations


def base_language(language: str) -> str:
    """Return the primary subtag of a language tag: ``en`` for ``en-US``."""
    return language.replace("_", "-").split("-")[0].lower()
