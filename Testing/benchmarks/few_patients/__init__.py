"""Parts of few_patients.py."""
