"""All trainings of a folder."""
