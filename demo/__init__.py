"""``make demo``: a real spoken conversation on this machine, with nothing but local parts."""
