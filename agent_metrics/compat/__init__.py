"""Internals of other libraries, each behind one module with a test that fails when they change."""
