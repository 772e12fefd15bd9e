"""One page for readers who doubt: docs/benchmarks/README.md, made of the results of the other benchmarks."""
