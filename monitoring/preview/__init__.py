"""A picture of the overview dashboard. ``python -m monitoring.preview`` draws it from real calls."""
