"""Standard codes of the cardiac structures, so that Slicer knows what a segment is."""

from __future__ import annotations

# SNOMED CT codes as in Slicer's "DICOM master list", which ships with the Terminologies module.
_CODES = {
    "aorta": ("15825003", "Aorta"),
    "heart": ("80891009", "Heart"),
    "left atrium": ("82471001", "Left atrium"),
    "left ventricle": ("87878005", "Left ventricle"),
    "pulmonary artery": ("81040000", "Pulmonary artery"),
    "right atrium": ("73829009", "Right atrium"),
    "right ventricle": ("53085002", "Right ventricle"),
}
_CONTEXT = "Segmentation category and type - DICOM master list"
_CATEGORY = "SCT^123037004^Anatomical Structure"


def terminology_entry(structure: str) -> str | None:
    """Slicer's serialized terminology entry of a structure, or None where the name has no standard code."""
    code = _CODES.get(structure.strip().lower().replace("_", " "))
    if code is None:
        return None
    value, meaning = code
    return f"{_CONTEXT}~{_CATEGORY}~SCT^{value}^{meaning}~^^~Anatomic codes - DICOM master list~^^~^^"
