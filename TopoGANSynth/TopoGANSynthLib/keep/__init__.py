"""Which samples are kept, and their export."""
