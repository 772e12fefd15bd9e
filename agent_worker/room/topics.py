"""Names of what a call sends to the room, and of what the caller may ask of it."""

#: A turn record as JSON, after each reply of the agent (:class:`agent_worker.telemetry.record.TurnRecord`).
TURN_TOPIC = "agent_worker.turn"

#: A pre-response as JSON, ``{"text": …, "source": "phrase" | "llm"}``, just before it is heard: the agent's transcript
#: does not tell where it ends.
PRERESPONSE_TOPIC = "agent_worker.preresponse"

#: Attribute of the agent's participant: the strategy in force, where callers may choose it.
STRATEGY_ATTRIBUTE = "agent_worker.strategy"

#: Remote procedure of the agent's participant: takes a strategy's name, from the next turn on.
SET_STRATEGY = "agent_worker.set_strategy"

#: Attribute of the agent's participant: ``not written`` where the metrics of this call are lost to others.
METRICS_ATTRIBUTE = "agent_worker.metrics"

#: Attribute of the agent's participant: when it was asked for, seconds since 1970, a space, and the agent's name.
DISPATCH_CLAIM_ATTRIBUTE = "agent_worker.asked"
