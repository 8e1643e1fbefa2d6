"""Work that an engine's process does in the background, and how the panel shows it."""
