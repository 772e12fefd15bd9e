"""Duration of a scrape after many processes have ended (docs/benchmarks/metrics-scale.md)."""
