"""What happens around calls: warm-up before the first one, limits, and another agent when a process dies.

Imports ``room``, ``preresponse``, ``telemetry``, ``text``, ``providers`` and ``core``. Only ``app`` may import it.
"""
