"""Search within rights, and packing what was found into a token budget."""
