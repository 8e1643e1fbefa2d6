"""Looking at the data before hours are spent."""
