"""What does a caller hear when something fails? ``python -m benchmarks.reliability``, docs/reliability.md."""
