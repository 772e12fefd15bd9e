"""The worker's logger. What callers say and secrets never go into it."""

import logging

logger = logging.getLogger("agent_worker")
