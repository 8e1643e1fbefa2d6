"""What only the training panel needs; what it shares with the other is in ``TopoGANLib``."""
