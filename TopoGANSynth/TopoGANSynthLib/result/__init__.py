"""The samples in the views: gallery, single sample, plots, verdicts."""
