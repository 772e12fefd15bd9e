"""The HTTP side of agent-metrics: the application, its web config, and the worker thread behind it.

Imports ``collector``, ``status``, ``storage``, ``compat`` and ``http_service``.
"""
