"""Prometheus and Grafana for the agent: what an operator sees, and when they are woken."""
