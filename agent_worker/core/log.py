"""The worker's logger. What callers say and secrets never go into it.

:func:`agent_worker.core.compat.livekit.redact_personal_data` does the same for livekit-agents' own loggers.
"""

import logging

logger = logging.getLogger("agent_worker")
