"""The call guard: sees to it that no caller is in a room without an agent.

``decision`` says what a room needs, from a ``snapshot`` of it and the guard's ``history``; ``guard`` reads the rooms
and does it; ``rooms`` talks to LiveKit; ``app`` takes LiveKit's webhooks; ``settings`` is the configuration. Imports
``http_service``, ``agent_worker.core``, the names on the wire (``agent_worker.room.topics``), and of ``agent_metrics``
what keeps metrics in memory.
"""
