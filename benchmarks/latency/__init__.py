"""Latency of voice agents as the caller hears it: to the first sound and to the answer (docs/benchmarks/latency.md)."""
