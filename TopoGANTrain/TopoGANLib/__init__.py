"""The Slicer side of TopoGAN, shared by both panels.

It imports only what Slicer bundles (numpy, SimpleITK, vtk, slicer, and Qt where a panel needs it); never the engine,
whose results it reads from files. Without the application the same code runs under slicer-core: see ``headless``.
"""
