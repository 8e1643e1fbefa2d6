"""The Slicer side of TopoGAN, shared by both panels.

It imports only what Slicer bundles (numpy, SimpleITK, vtk, slicer, and Qt where a panel needs it) and
``topogan_contract``; never the engine, whose results it reads from files. Rooms: ``engine`` (as a process), ``scene``,
``forms``, and ``headless``, by which the same scene is made under slicer-core, without the application.
"""
