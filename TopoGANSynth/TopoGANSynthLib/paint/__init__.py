"""CT texture on a segmentation of the user's own."""
