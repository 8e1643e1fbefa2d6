"""Which model, how good it is, and which topology is asked of it."""
