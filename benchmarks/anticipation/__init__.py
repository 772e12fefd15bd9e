"""How soon the agent can be heard after callers who are people, and whether anticipation helps."""
