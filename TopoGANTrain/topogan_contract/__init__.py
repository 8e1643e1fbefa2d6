"""What the engine and the Slicer side both must know: schemas, folders, states, the lock, and limits of files.

Neither side imports the other: they run in different processes, perhaps in different Pythons, and meet in folders. This
package is the third beside both (``topogan``, ``TopoGANLib``). It needs the standard library alone, so Slicer may load
it at any time. From source and in an installed extension all three lie in one folder, which is on Slicer's path as a
module's folder and on the engine's because the panels start it from there; pip installs it next to ``topogan``.
"""
