"""Finds the metrics and labels in a PromQL query. Knows the part of the language that the project's queries use."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[A-Za-z_:][\w:]*|\d[\w.]*|=~|!~|!=|\S')
_LABEL_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_KEYWORDS = {"and", "or", "unless", "offset", "bool", "sum", "max", "min", "avg", "count", *_LABEL_LISTS}


@dataclass
class Selector:
    """``metric{label="value"}``; the name is empty where ``__name__`` is matched by a pattern."""

    metric: str
    matchers: dict[str, str] = field(default_factory=dict)


@dataclass
class Names:
    selectors: list[Selector] = field(default_factory=list)
    grouped: set[str] = field(default_factory=set)
    """Labels that stand in ``by (…)`` and the like."""


def names_in(query: str) -> Names:
    found = Names()
    tokens = _TOKEN.findall(query)
    position = 0
    while position < len(tokens):
        token = tokens[position]
        following = tokens[position + 1] if position + 1 < len(tokens) else ""
        if token in _LABEL_LISTS and following == "(":
            end = tokens.index(")", position)
            found.grouped.update(one for one in tokens[position + 2 : end] if one != ",")
            position = end
        elif token == "{":
            end = tokens.index("}", position)
            if position == 0 or not _is_metric(tokens[position - 1], "{"):
                found.selectors.append(Selector(""))
            found.selectors[-1].matchers.update(_matchers(tokens[position + 1 : end]))
            position = end
        elif _is_metric(token, following):
            found.selectors.append(Selector(token))
        position += 1
    return found


def _is_metric(token: str, following: str) -> bool:
    return bool(re.match("[A-Za-z_:]", token)) and token not in _KEYWORDS and following != "("


def _matchers(tokens: list[str]) -> dict[str, str]:
    """From ``label = "value" , …``, whatever the operators."""
    values = {}
    for label, _, value in zip(tokens[::4], tokens[1::4], tokens[2::4], strict=True):
        values.setdefault(label, value.strip('"'))
    return values
