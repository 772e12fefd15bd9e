"""``.env.example``: every setting with its default, for the user to fill in."""

from __future__ import annotations

import textwrap

from reference.sections import SECTIONS, Section, Setting

_WIDTH = 120
_HEAD = (
    "# Copy to .env and fill in. The file lists every setting; a commented one shows its default.\n"
    "# docs/configuration.md has the same as tables. `make reference` writes both from the settings in the code."
)


def render() -> str:
    """Return the content of the file."""
    return "\n\n".join([_HEAD, *map(_section, SECTIONS)]) + "\n"


def _section(section: Section) -> str:
    title = f"# --- {section.title}{': ' if section.command else ''}{section.command} "
    lines = [title.ljust(_WIDTH, "-"), *_comment(section.introduction), ""]
    for setting in section.settings:
        lines += [*_comment(setting.description), _assignment(setting)]
    return "\n".join(lines)


def _comment(paragraph: str) -> list[str]:
    return textwrap.wrap(paragraph, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _assignment(setting: Setting) -> str:
    if setting.default is None:
        return f"{setting.name}={setting.example}"
    return f"# {setting.name}={setting.default}"
