"""``docs/configuration.md``: every setting as tables."""

from __future__ import annotations

import re
from typing import Any

from reference.sections import SECTIONS, Section, Setting

_HEAD = """\
# Configuration

Every setting is an environment variable. A file `.env` in the folder that a program is started in is read as well;
the environment wins. [`.env.example`](../.env.example) has the same settings in the same order, to be copied. An empty
value is as good as none. When settings are missing or wrong, the program lists all of them and exits with code 2.

This page is written by `make reference` from the settings in the code.
"""
_TEXTS = {"uri": "address", "path": "path", "password": "secret"}


def text() -> str:
    return "\n".join([_HEAD, *map(_section, SECTIONS)])


def _section(section: Section) -> str:
    command = f"`{section.command}`: " if section.command else ""
    rows = "\n".join(map(_row, section.settings))
    return (
        f"## {section.title}\n\n{command}{section.about}\n\n"
        f"| setting | values | default | what it is for |\n| --- | --- | --- | --- |\n{rows}\n"
    )


def _row(setting: Setting) -> str:
    about = re.sub(r"\bdocs/(\S+\.md)", r"[\1](\1)", setting.about)
    cells = (f"`{setting.name}`", _values(setting.schema), _default(setting), about)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "**has to be set**"
    return f"`{setting.default}`" if setting.default else "unset"


def _values(schema: dict[str, Any]) -> str:
    if choices := [choice for choice in schema.get("anyOf", ()) if choice["type"] != "null"]:
        schema = choices[0]
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "boolean":
        return "`true`, `false`"
    if schema["type"] == "string":
        return _TEXTS.get(schema.get("format", ""), "text")
    return f"{'whole number' if schema['type'] == 'integer' else 'number'}{_bounds(schema)}"


def _bounds(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if schema["type"] == "integer" and above is not None:
        low, above = above + 1, None
    if low is not None and high is not None:
        return f", {low:.15g} to {high:.15g}"
    limits = (("at least", low), ("at most", high), ("more than", above), ("less than", below))
    named = [f"{word} {value:.15g}" for word, value in limits if value is not None]
    return f", {' and '.join(named)}" if named else ""
