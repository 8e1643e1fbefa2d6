"""Parts of the benchmark ``downstream.py``."""
