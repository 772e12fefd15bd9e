"""The order of magnitude of the published claims, in a quarter of an hour on anybody's machine."""
