"""How long does a caller wait: for the first sound, and for the answer? See ``docs/benchmarks/latency.md``."""
