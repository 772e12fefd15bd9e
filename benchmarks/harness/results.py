"""Raw results of a benchmark as a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

T = TypeVar("T")


def load(path: Path, kind: type[T]) -> T:
    """Read results of a dataclass type.

    Raises:
        pydantic.ValidationError: If the file does not hold such results.
    """
    return TypeAdapter(kind).validate_json(path.read_bytes())


def save(path: Path, results: Any, *, depth: int = 2, digits: int = 4) -> None:
    """Write results, floats rounded; an interrupted write leaves the previous file as it was.

    Args:
        path: The JSON file.
        results: A dataclass, or what JSON can hold.
        depth: Levels of lists and objects that are spread over lines; what is deeper is one line, for readable diffs.
        digits: Decimal places of floats.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(_spread(_rounded(to_jsonable_python(results), digits), depth) + "\n", encoding="utf-8")
    part.replace(path)


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, dict):
        return {key: _rounded(inner, digits) for key, inner in value.items()}
    return [_rounded(inner, digits) for inner in value] if isinstance(value, list) else value


def _spread(value: Any, depth: int) -> str:
    if not value or not depth or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[\n" + ",\n".join(_spread(inner, depth - 1) for inner in value) + "\n]"
    lines = (f"{json.dumps(key, ensure_ascii=False)}: {_spread(inner, depth - 1)}" for key, inner in value.items())
    return "{\n" + ",\n".join(lines) + "\n}"
