"""Telemetry: what happened in each turn, and what it used, as records, metrics and costs.

``trace`` is the data of a turn while it runs, ``recorder`` watches a session and makes the ``record`` of each turn,
``session_meter`` and ``usage_meter`` count into the ``metrics``, ``pricing`` has the costs, ``events`` are the engine's
own events, ``metrics_service`` runs agent-metrics beside the worker.

May be imported by ``preresponse`` and every package above; imports only ``core``, ``providers`` and ``turn_taking``.
"""
