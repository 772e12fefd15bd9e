"""A LiveKit voice agent that never leaves the caller in silence.

Import what you need from its module, for example ``from agent_worker.preresponse.agent import PreResponseAgent``.
Nothing is re-exported here on purpose: importing livekit has to wait until
:func:`agent_worker.app.bootstrap.prepare` has chosen where metrics are written.
"""
