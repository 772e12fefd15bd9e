"""Parts that several benchmarks share: command line, machine, simulated providers, systems, callers, statistics, pages.

Imports ``agent_worker``, ``caller`` and ``testbed``; never a benchmark.
"""
