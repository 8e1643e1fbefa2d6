"""What fills a voxel."""

from __future__ import annotations

from enum import IntEnum

STRUCTURES = {"lv_cavity": 1, "myocardium": 2, "rv_cavity": 3, "left_atrium": 4, "right_atrium": 5, "aorta": 6}


class Tissue(IntEnum):
    """What fills a voxel; those of ``STRUCTURES`` have the value of their label."""

    OUTSIDE = 0
    LV_CAVITY = 1
    MYOCARDIUM = 2
    RV_CAVITY = 3
    LEFT_ATRIUM = 4
    RIGHT_ATRIUM = 5
    AORTA = 6
    PAPILLARY_MUSCLE = 7
    RV_WALL = 8
    HEART_FAT = 9
    LUNG = 10
    MUSCLE = 11
    SKIN_FAT = 12
    CORTICAL_BONE = 13
    SPONGY_BONE = 14
    LIVER = 15
    LUNG_VESSEL = 16
    PULMONARY_ARTERY = 17
    PULMONARY_VEIN = 18
    UPPER_VENA_CAVA = 19
    LOWER_VENA_CAVA = 20


def label_of(tissue: Tissue) -> int:
    """The label of a tissue: 0 where it belongs to no structure.

    Papillary muscles belong to the cavity: one of the two usual conventions, and the one that keeps the wall a ring
    (doi 10.1186/s12968-020-00683-3, table 1, tells which study uses which).
    """
    if tissue == Tissue.PAPILLARY_MUSCLE:
        return STRUCTURES["lv_cavity"]
    return int(tissue) if tissue in STRUCTURES.values() else 0
