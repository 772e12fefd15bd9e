"""Whether every caller gets an agent, and exactly one, while parts of the system fail or are full."""
