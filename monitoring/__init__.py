"""Prometheus rules and Grafana dashboards for the agent, and programs that run and test them."""
