"""Start, watch and stop the parts of a whole system on this machine: for the demo, tests and benchmarks."""
