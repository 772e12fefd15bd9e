"""Files that are generated from the code; ``make reference`` writes them."""
