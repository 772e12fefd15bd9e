"""Word classes: named patterns of whole words, from one YAML file a language."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from importlib import resources
from re import Pattern

import yaml  # type: ignore[import-untyped]

from agent_worker.text.language import base_language

_NEVER = r"(?!)"


@cache
def word_classes(folder: str, language: str) -> dict[str, Pattern[str]]:
    """Load ``data/<folder>/<language>.yaml``: each value is a comma-separated list of regular expressions.

    Returns:
        Patterns by class name. A class that is not in the file matches nothing. Empty if the language has no file.
    """
    language = base_language(language)
    file = resources.files("agent_worker.text") / "data" / folder / f"{language}.yaml"
    if not language.isalpha() or not file.is_file():
        return {}
    listed = yaml.safe_load(file.read_text(encoding="utf-8"))
    return defaultdict(lambda: re.compile(_NEVER), {name: any_of(phrases) for name, phrases in listed.items()})


def any_of(phrases: str) -> Pattern[str]:
    """Compile a comma-separated list of expressions into one pattern of whole words; longer expressions win."""
    longest_first = sorted(phrases.split(", "), key=len, reverse=True)
    return re.compile(rf"(?<![\w'])(?:{'|'.join(longest_first)})(?!\w)")
