"""Language tags."""

from __future__ import annotations

#: Codes of three letters for languages that have one of two, as far as there are texts in them.
_SHORT = {"eng": "en", "deu": "de", "ger": "de", "spa": "es", "fra": "fr", "fre": "fr", "por": "pt"}


def base_language(language: str) -> str:
    """Return the primary subtag of a language tag: ``en`` for ``en-US``, ``zh`` for ``zh-Hans``."""
    base = language.replace("_", "-").split("-")[0].lower()
    return _SHORT.get(base, base)
