"""Equations 3 to 5 of Wang et al., ECCV 2020, and which pixels they move."""
