"""The figures by which masks and textures are judged, each defined once.

Pure functions on arrays, shared by training logs and by :mod:`topogan.evaluation`; they load no torch.
"""
