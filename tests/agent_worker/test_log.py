from __future__ import annotations

import logging

import pytest

from agent_worker.core.log import redact_personal_data


def test_providers_error_that_quotes_the_caller_is_logged_by_its_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    redact_personal_data()
    error = ValueError("bad request: 'my card number is 1234'")
    logging.getLogger("livekit.agents").warning("%s failed, switching to next LLM: %s", "groq", error)
    assert caplog.messages == ["groq failed, switching to next LLM: ValueError"]


def test_traceback_stays_without_the_errors_text(caplog: pytest.LogCaptureFixture) -> None:
    redact_personal_data()
    words = "no audio frames were pushed for text: Your card number is 1234"
    try:
        raise ValueError(words)
    except ValueError:
        logging.getLogger("livekit.agents").exception("Error in _tts_inference_task")
    assert "test_traceback_stays" in caplog.text
    assert "ValueError" in caplog.text
    assert "1234" not in caplog.text


def test_what_was_said_is_neither_beside_a_message_nor_in_it(caplog: pytest.LogCaptureFixture) -> None:
    redact_personal_data()
    livekit = logging.getLogger("livekit.agents")
    livekit.error("failed after sending chunk", extra={"text_sent": "Your card"})
    livekit.error("closing: no audio frames were pushed for text: Your card number\nis 1234")
    assert not hasattr(caplog.records[0], "text_sent")
    assert caplog.messages[1] == "closing: no audio frames were pushed for text: …"


@pytest.mark.parametrize(
    "line",
    [
        "failed to generate LLM completion: {}, retrying in 2.0s",
        "failed to recognize speech: {}, retrying in 2.0s",
        "AgentSession is closing due to unrecoverable error: {}",
    ],
)
def test_error_that_livekit_writes_into_its_message_is_left_out(line: str, caplog: pytest.LogCaptureFixture) -> None:
    redact_personal_data()
    said = "message='my card number is 1234', status_code=429, body={'error': 'my card'}"
    logging.getLogger("livekit.agents").warning(line.format(said))
    before, _, after = line.partition("{}")
    assert caplog.messages == [f"{before}… status_code=429" + after.replace(",", "")]


def test_plugins_say_nothing_of_it_either(caplog: pytest.LogCaptureFixture) -> None:
    plugin = logging.getLogger("livekit.plugins.deepgram")
    redact_personal_data()
    plugin.warning("received unexpected message from deepgram", extra={"lk.pii.data": {"transcript": "My card"}})
    assert "lk.pii.data" not in vars(caplog.records[0])
