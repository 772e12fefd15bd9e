"""Pages that are generated from the code, so that they are true: ``make reference`` writes them."""
