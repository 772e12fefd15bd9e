"""Turn-taking on recordings of people (docs/benchmarks/turn-taking.md)."""
