"""Imported by the process from which livekit forks those of calls: what is read here is in memory once for all calls.

First of all that process imports, so that livekit's metrics are written by us as well.
"""

from agent_worker.app.bootstrap import prepare

prepare()

from agent_worker.app import worker  # noqa: E402, F401  # calls' processes begin with them
from agent_worker.lifecycle import warm_up  # noqa: E402  # calls' processes begin with them

warm_up.read_what_calls_share()
