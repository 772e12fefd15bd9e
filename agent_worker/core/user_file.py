"""YAML and JSON files that a user writes, such as phrases and prices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]


class BadFileError(Exception):
    """A user's file cannot be used.

    Attributes:
        problems: Everything that is wrong with it, one line each, with its path.
    """

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        super().__init__(f"{path}: " + "; ".join(problems))
        self.problems = [f"{path}: {problem}" for problem in problems]


def read(path: Path, error_type: type[BadFileError]) -> Any:
    """Parse a YAML or JSON file.

    Args:
        path: The file. JSON is a subset of YAML.
        error_type: What to raise if the file cannot be parsed.

    Raises:
        BadFileError: Of the given type.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise error_type(path, [f"cannot be read: {type(error).__name__}"]) from None
    except yaml.YAMLError as error:
        raise error_type(path, [f"is neither YAML nor JSON: {' '.join(str(error).split())}"]) from None
    except RecursionError:
        raise error_type(path, ["is nested too deeply"]) from None
    except (ValueError, AttributeError, OverflowError):  # PyYAML raises these for a date such as 2001-13-45, or `0b_`
        raise error_type(path, ["holds an invalid date or number: put texts into quotes"]) from None
