"""Does what is said before the answer fit what the caller said? Scored over labelled turns."""
