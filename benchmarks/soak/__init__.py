"""Growth of memory, handles, processes and files over many calls (docs/benchmarks/soak.md)."""
