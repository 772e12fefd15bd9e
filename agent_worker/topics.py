"""Names of the text streams that a call sends to the room."""

#: A turn record as JSON, after each reply of the agent (:class:`agent_worker.measurement.TurnRecord`).
TURN_TOPIC = "agent_worker.turn"
