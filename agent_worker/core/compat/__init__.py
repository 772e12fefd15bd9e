"""Assumptions about the internals of pinned libraries, one module for each library.

Every monkeypatch, private attribute, import of a private module and match of a log message lives here. For each
assumption, a test in ``tests/agent_worker/`` fails when the pinned version no longer fulfils it, and its message
says what to check.
"""
