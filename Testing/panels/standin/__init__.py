"""What only the Slicer application has, small and for tests: Qt as PythonQt shows it, ctk, qMRML widgets, slicer.app.

It offers nothing that Slicer lacks, and fails loudly on everything unknown. Real are Qt itself (PySide6, off-screen),
MRML and ``slicer.util`` (slicer-core), and the panels' own files. With ``SLICER_SOURCE`` set to a checkout of Slicer's
source, Slicer's own Python replaces the stand-in's subset of it.
"""

from __future__ import annotations

from standin.installation import StandIn, install

__all__ = ["StandIn", "install"]
