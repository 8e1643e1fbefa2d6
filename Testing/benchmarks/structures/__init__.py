"""Several structures at once: what the topological loss is worth where label maps are learned."""
