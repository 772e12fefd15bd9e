"""Voice agents for comparison, each a script that benchmarks.harness.systems starts."""
