"""Imported by the process from which livekit-agents forks call processes: what it loads is in memory once for all.

It is the first import of that process, so that livekit's metrics go to the process's files as well.
"""

from agent_worker.app.bootstrap import prepare

prepare()

from agent_worker.app import worker  # noqa: E402, F401  # call processes import it first
from agent_worker.core.log_protection import protect_log_of_calls  # noqa: E402
from agent_worker.lifecycle import warm_up  # noqa: E402

protect_log_of_calls()
warm_up.load_shared_data()
