"""Fit of the pre-response, scored on labelled turns (docs/benchmarks/appropriateness.md)."""
