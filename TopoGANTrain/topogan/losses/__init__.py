"""The topological losses of the mask generator, and the weight λ that scales them."""
