"""A file that the user wrote: read, or refused with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]


class BadFileError(Exception):
    """A file of the user's cannot be used.

    Attributes:
        problems: Everything that is wrong with it, one line each, with its path.
    """

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        super().__init__(f"{path}: " + "; ".join(problems))
        self.problems = [f"{path}: {problem}" for problem in problems]


def read(path: Path, error_type: type[BadFileError]) -> Any:
    """What a YAML or JSON file holds.

    Raises:
        BadFileError: Of the given type, if it cannot be read.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML
    except (OSError, UnicodeDecodeError) as error:
        raise error_type(path, [f"cannot be read: {type(error).__name__}"]) from None
    except yaml.YAMLError as error:
        raise error_type(path, [f"is neither YAML nor JSON: {' '.join(str(error).split())}"]) from None
    except RecursionError:
        raise error_type(path, ["is nested too deeply"]) from None
    except (ValueError, AttributeError, OverflowError):  # PyYAML's, of what looks like a date or a number
        raise error_type(path, ["holds a date or number that there is none of: put texts into quotes"]) from None
