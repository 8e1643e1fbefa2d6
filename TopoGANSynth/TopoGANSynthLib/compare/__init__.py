"""Samples beside real ones."""
