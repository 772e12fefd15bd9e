"""Delay of the end-of-turn decision, and turns that it cuts in the middle (docs/benchmarks/endpointing.md)."""
