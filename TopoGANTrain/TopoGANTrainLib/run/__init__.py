"""One training: how it is doing, its curves, its samples and its end."""
