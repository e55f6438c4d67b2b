"""From a masked question to the passages that fit into a token budget."""
