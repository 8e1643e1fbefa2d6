# Packaging is Slicer's.
