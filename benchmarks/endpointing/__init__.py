"""How fast, and how rarely too early, the end of the caller's turn is decided. See docs/benchmarks/endpointing.md."""
