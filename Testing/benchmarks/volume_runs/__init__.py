"""Trainings on volumes: their sets, figures and tables."""
