"""``make demo``: a real spoken conversation on this machine, with local models only."""
