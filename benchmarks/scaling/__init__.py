"""Calls that one core carries, and the resources that each takes (docs/benchmarks/scaling.md)."""
