"""Write rules as YAML."""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped]


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes a string of several lines as a block."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def to_yaml(content: dict[str, Any], source: str) -> str:
    """Return the file of a generated resource, which names its source."""
    head = f"# From {source}, by `make monitoring`: do not edit.\n"
    return head + str(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))
