"""Does anything grow that should not, over hours of calls? ``python -m benchmarks.soak``."""
