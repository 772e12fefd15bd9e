"""What the HTTP services of this project share: start and stop of the server, basic auth, rate limits, error exits.

Used by ``agent_metrics``, ``page_server`` and ``model_server``; imports none of them.
"""
