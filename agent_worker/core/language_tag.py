"""Read language tags (BCP 47, RFC 5646)."""

from __future__ import annotations

import re

#: The caller's language is not known in advance: the recogniser finds it.
MULTI = "multi"

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3})"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"  # variants
    r"(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8})+)?)"  # private use
)


def canonical_tag(tag: str) -> str:
    """Return a tag in its usual spelling: ``es-419``, ``zh-Hans``, ``en-US``; ``multi`` for every language.

    Raises:
        ValueError: If it is no tag of a language.
    """
    lower = tag.strip().lower().replace("_", "-")
    if lower == MULTI:
        return MULTI
    found = _TAG.fullmatch(lower)
    if found is None:
        raise ValueError("must be a BCP 47 language tag, such as en, en-US, es-419, zh-Hans or fil, or multi")
    script, region = found["script"], found["region"]
    parts = [found["language"], script.title() if script else "", region.upper() if region else ""]
    return "-".join(filter(None, parts)) + found["rest"]
