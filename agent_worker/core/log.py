"""The worker's logger. What callers say and secrets never go into it."""

import logging
import re

logger = logging.getLogger("agent_worker")

#: What livekit-agents puts beside a message, or into one, of what somebody said.
_FIELDS = ("text_sent", "tool_calls_sent")
_QUOTED = re.compile(
    "(pushed for text: |failed to generate LLM completion: |failed to recognize speech: |unrecoverable error: )(.*)",
    re.DOTALL,
)
#: What may stay of it: it is the provider's and livekit's, and not what was said.
_OWN = re.compile(r"status_code=\d+|caused by \w+|retrying in [\d.]+s$")


class _WithoutPersonalData(logging.Filter):
    """Drops the fields that livekit-agents marks as personal, transcripts for one, and what errors say.

    A provider's error may quote the request, and so what callers say.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(type(arg).__name__ if isinstance(arg, Exception) else arg for arg in record.args)
        if isinstance(record.msg, str):
            record.msg = _QUOTED.sub(lambda found: " ".join([f"{found[1]}…", *_OWN.findall(found[2])]), record.msg)
        if record.exc_info and record.exc_info[0]:
            kind, _, traceback = record.exc_info
            record.exc_info = (Exception, Exception(kind.__name__), traceback)
        for name in [name for name in vars(record) if name.startswith("lk.pii") or name in _FIELDS]:
            delattr(record, name)
        return True


def redact_personal_data() -> None:
    """Apply to livekit-agents' own log lines too, and to its plugins'. Harmless when done twice."""
    # A filter sees what is logged by its own logger only, not by those below it.
    plugins = [name for name in logging.root.manager.loggerDict if name.startswith("livekit.plugins.")]
    for livekit in map(logging.getLogger, ["livekit.agents", *plugins]):
        if not any(isinstance(known, _WithoutPersonalData) for known in livekit.filters):
            livekit.addFilter(_WithoutPersonalData())
