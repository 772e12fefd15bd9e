"""``.env.example``: every setting with its default, ready to be filled in."""

from __future__ import annotations

import textwrap

from reference.sections import SECTIONS, Section, Setting

_WIDTH = 120
_HEAD = (
    "# Copy to .env and fill in. Every setting is here; a commented one shows its default. docs/configuration.md has\n"
    "# the same as tables. `make reference` writes both from the settings in the code."
)


def text() -> str:
    return "\n\n".join([_HEAD, *map(_section, SECTIONS)]) + "\n"


def _section(section: Section) -> str:
    title = f"# --- {section.title}{': ' if section.command else ''}{section.command} "
    lines = [title.ljust(_WIDTH, "-"), *_comment(section.about), ""]
    for setting in section.settings:
        lines += [*_comment(setting.about), _assignment(setting)]
    return "\n".join(lines)


def _comment(paragraph: str) -> list[str]:
    return textwrap.wrap(paragraph, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _assignment(setting: Setting) -> str:
    if setting.default is None:
        return f"{setting.name}={setting.example}"
    return f"# {setting.name}={setting.default}"
