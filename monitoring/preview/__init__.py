"""The overview as a picture. ``python -m monitoring.preview`` makes it from a real call."""
