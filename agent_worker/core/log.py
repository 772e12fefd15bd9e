"""The worker's logger. What callers say and secrets never go into it.

:mod:`agent_worker.core.log_protection` does the same for every other logger.
"""

import logging

logger = logging.getLogger("agent_worker")
