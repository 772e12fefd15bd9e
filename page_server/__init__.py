"""Serves the page that callers talk from, and lets each visit into a LiveKit room of its own."""
