"""Names on the wire: text stream topics, participant attributes and remote procedures of a call.

``web/src/generated/topics.ts`` is generated from this module.
"""

#: Text stream after each reply of the agent: the turn record as JSON (``telemetry.record.TurnRecord``).
TURN_TOPIC = "agent_worker.turn"

#: Text stream just before a pre-response is heard: ``{"text": …, "source": "phrase" | "llm"}``. The agent's transcript
#: does not show where the pre-response ends.
PRERESPONSE_TOPIC = "agent_worker.preresponse"

#: Text stream when a listener's sound of the agent begins, which leaves the floor with the caller and is no reply:
#: ``{"text": …, "seconds": …}``. The sound is heard up to a second later, by the transport and the jitter buffer.
BACKCHANNEL_TOPIC = "agent_worker.backchannel"

#: Attribute of the agent's participant: the strategy in force, if callers may choose it.
STRATEGY_ATTRIBUTE = "agent_worker.strategy"

#: Attribute of another participant, given by its token: ``supervisor`` listens or speaks to the caller, and is never
#: taken for the caller.
ROLE_ATTRIBUTE = "agent_worker.role"
SUPERVISOR_ROLE = "supervisor"

#: Remote procedure of the agent's participant: takes the name of a strategy, which is used from the next turn on.
SET_STRATEGY = "agent_worker.set_strategy"

#: Attribute of the agent's participant: ``not written`` if the metrics of this call cannot be written.
METRICS_ATTRIBUTE = "agent_worker.metrics"

#: Attribute of the agent's participant: the time at which its job was accepted, seconds since 1970, a space, and the
#: agent's name.
DISPATCH_CLAIM_ATTRIBUTE = "agent_worker.asked"

#: Attribute of the announcer's participant, which speaks to callers who wait for an agent and is no agent: ``true``.
ANNOUNCER_ATTRIBUTE = "agent_worker.announcer"

#: Attribute of a caller's participant, and key of the room's metadata if these are a JSON object: the language in which
#: the call guard tells the caller to wait, as a BCP 47 tag.
LANGUAGE_ATTRIBUTE = "agent_worker.language"

#: Key of the room's metadata: the conversation so far, encrypted, for an agent that takes the call over.
CONVERSATION_KEY = "agent_worker.conversation"
