from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from agent_worker.telemetry.record import TurnRecord, TurnTimestamps, Usage
from reference import turn_record

SCHEMA = json.loads(turn_record.render())


def sent(**fields: Any) -> dict[str, Any]:
    """Return a record of a greeting, as it is sent to the room, with some fields changed."""
    values: dict[str, Any] = dict.fromkeys(name for name, field in SCHEMA["properties"].items() if "anyOf" in field)
    values |= {"turn": 1, "answer": "Hello!", "interrupted": False, "instants": TurnTimestamps(), **fields}
    return json.loads(json.dumps(TurnRecord(**values).as_dict()))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"caller": "When?", "response_gap": 0.5, "instants": TurnTimestamps(last_voice=0.0), "usage": Usage(12, 3)},
    ],
)
def test_a_record_of_the_worker_matches_the_schema(fields: dict[str, Any]) -> None:
    jsonschema.validate(sent(**fields), SCHEMA)


@pytest.mark.parametrize("change", [{"turn": None}, {"response_gap": "0.5"}, {"instants": {"last_voice": 0.0}}])
def test_a_record_of_another_shape_does_not_match(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(sent() | change, SCHEMA)


def test_a_record_without_a_field_does_not_match() -> None:
    record = sent()
    del record["strategy"]
    with pytest.raises(jsonschema.ValidationError, match="'strategy' is a required property"):
        jsonschema.validate(record, SCHEMA)
