from __future__ import annotations

import logging

import pytest

from agent_worker.log import keep_personal_data_out


def test_providers_error_that_quotes_the_caller_is_logged_by_its_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    keep_personal_data_out()
    error = ValueError("bad request: 'my card number is 1234'")
    logging.getLogger("livekit.agents").warning("%s failed, switching to next LLM: %s", "groq", error)
    assert caplog.messages == ["groq failed, switching to next LLM: ValueError"]
