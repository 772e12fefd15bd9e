"""``docs/configuration.md``: tables of all settings."""

from __future__ import annotations

import re
from typing import Any

from reference.sections import SECTIONS, Section, Setting

_HEAD = """\
# Configuration

Every setting is an environment variable. A program also reads the file `.env` in the folder that it is started in; the
environment takes precedence. Copy [`.env.example`](../.env.example), which has the same settings in the same order. An
empty value counts as unset. If settings are missing or wrong, the program lists all of them and exits with code 2.

`make reference` writes this page from the settings in the code.
"""
_STRING_FORMATS = {"uri": "URL", "path": "path", "password": "secret"}


def render() -> str:
    """Return the content of the page."""
    return "\n".join([_HEAD, *map(_section, SECTIONS)])


def _section(section: Section) -> str:
    command = f"`{section.command}`: " if section.command else ""
    rows = "\n".join(map(_row, section.settings))
    return (
        f"## {section.title}\n\n{command}{section.introduction}\n\n"
        f"| setting | values | default | description |\n| --- | --- | --- | --- |\n{rows}\n"
    )


def _row(setting: Setting) -> str:
    description = re.sub(r"\bdocs/(\S+\.md)", r"[\1](\1)", setting.description)
    cells = (f"`{setting.name}`", _values(setting.schema), _default(setting), description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "**required**"
    return f"`{setting.default}`" if setting.default else "unset"


def _values(schema: dict[str, Any]) -> str:
    if choices := [choice for choice in schema.get("anyOf", ()) if choice["type"] != "null"]:
        schema = choices[0]
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "boolean":
        return "`true`, `false`"
    if schema["type"] == "object":
        return "pairs, `name=value,name=value`"
    if schema["type"] == "string":
        return _STRING_FORMATS.get(schema.get("format", ""), "text")
    return f"{'whole number' if schema['type'] == 'integer' else 'number'}{_bounds(schema)}"


def _bounds(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if schema["type"] == "integer" and above is not None:
        low, above = above + 1, None
    if low is not None and high is not None:
        return f", {low:.15g} to {high:.15g}"
    limits = (("more than", above), ("at least", low), ("less than", below), ("at most", high))
    bounds = [f"{relation} {value:.15g}" for relation, value in limits if value is not None]
    return f", {' and '.join(bounds)}" if bounds else ""
