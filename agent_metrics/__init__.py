"""The agent-metrics service: aggregates the worker processes' metric files and serves them on one port."""
