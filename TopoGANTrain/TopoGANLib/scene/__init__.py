"""Synthetic samples in a MRML scene: read from the engine's folder, made into nodes, shown."""
