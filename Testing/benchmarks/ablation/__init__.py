"""Does the topological loss earn its place: the same training with and without it, on several sets."""
