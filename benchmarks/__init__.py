"""Benchmarks of the worker on one machine: ``python -m benchmarks.NAME``; the reports are in docs/benchmarks."""
