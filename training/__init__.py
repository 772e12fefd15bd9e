"""Training of the intent model; its utterances and the command that trains on them."""
