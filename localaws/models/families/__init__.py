"""A family a file: the JSON schema of its body, what a body asks, how an answer is worded."""
