"""Names of what a call sends to the room."""

#: A turn record as JSON, after each reply of the agent (:class:`agent_worker.measurement.TurnRecord`).
TURN_TOPIC = "agent_worker.turn"

#: Attribute of the agent's participant: ``not written`` where the metrics of this call are lost to others.
METRICS_ATTRIBUTE = "agent_worker.metrics"
