"""Agreement of ``python -m caller`` and the page on the response gap (docs/benchmarks/page-gap.md)."""
