"""What the HTTP services of this project share: start and stop of the server, basic auth, rate limits, error exits.

Used by ``agent_metrics`` and ``page_server``; imports neither.
"""
