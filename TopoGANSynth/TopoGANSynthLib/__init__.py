"""What only the synthesis panel needs; the rest is in ``TopoGANLib``."""
