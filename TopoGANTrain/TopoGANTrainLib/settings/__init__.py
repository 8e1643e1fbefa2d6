"""The settings of a training, and what they cost."""
