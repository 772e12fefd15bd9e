"""The worker's logger. What callers say and secrets never go into it."""

import logging

logger = logging.getLogger("agent_worker")


class _WithoutPersonalData(logging.Filter):
    """Drops the fields that livekit-agents marks as personal: transcripts, for one."""

    def filter(self, record: logging.LogRecord) -> bool:
        # A provider's error may quote the request, and so what callers say.
        if isinstance(record.args, tuple):
            record.args = tuple(type(arg).__name__ if isinstance(arg, Exception) else arg for arg in record.args)
        for name in [name for name in vars(record) if name.startswith("lk.pii")]:
            delattr(record, name)
        return True


def keep_personal_data_out() -> None:
    """Apply to livekit-agents' own log lines too. Harmless when done twice."""
    livekit = logging.getLogger("livekit.agents")
    if not any(isinstance(known, _WithoutPersonalData) for known in livekit.filters):
        livekit.addFilter(_WithoutPersonalData())
