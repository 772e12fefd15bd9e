"""Start, watch and stop the parts of a whole system on this machine, for the demo, tests and benchmarks.

``processes`` runs child processes, ``services`` describes each part (LiveKit server, model server, worker,
agent-metrics, page server), and ``conversation`` speaks a scripted conversation with an agent. Nothing that is
shipped imports it.
"""
