"""What a size of patches means: its pixels by default, and the words."""

from __future__ import annotations

import pytest

from topogan_contract.sizes import default_pixel_size, pixel_size_in_words


@pytest.mark.parametrize(
    ("width", "size", "own", "pixel_size", "why"),
    [
        (120.0, 64, 0.35, 2.5, "three quarters, whatever the images: the size forces it"),
        (120.0, 128, 0.0, 1.25, "three quarters, where the images are not known"),
        (120.0, 256, 0.35, 0.63, "three quarters: between one and two pixels of the images"),
        (120.0, 256, 0.3, 0.6, "two pixels of the images: the structures fill 78 %"),
        (120.0, 256, 0.25, 0.63, "two pixels of the images would be filled to 94 %"),
        (120.0, 512, 0.35, 0.35, "pixels of the images: the structures fill 67 %"),
        (37.0, 64, 0.703125, 0.78, "three quarters"),
        (20.0, 64, 0.703125, 0.703125, "exactly the pixels of the images, so that nothing is interpolated"),
        (12.0, 64, 1.0, 0.5, "finer, so that they fill three eighths"),
    ],
)
def test_default_pixel_size(width: float, size: int, own: float, pixel_size: float, why: str) -> None:
    found = default_pixel_size(width, size, own)
    assert found == pytest.approx(pixel_size, abs=0.0101), why
    assert own <= 0 or found != pytest.approx(own) or found == own
    assert width <= 0.9 * size * found


@pytest.mark.parametrize(
    ("size", "pixel_size", "width", "own", "words"),
    [
        (64, 2.5, 120.0, 0.35, "2.5 mm, 7 times coarser than the images (0.35 mm); 256 pixels would show 0.63 mm"),
        (64, 5.0, 240.0, 0.1, "5 mm, 50 times coarser than the images (0.1 mm); 512 pixels would show 0.63 mm"),
        (256, 0.6, 120.0, 0.3, "0.6 mm, 2.0 times coarser than the images (0.3 mm)"),
        (512, 0.35, 120.0, 0.35, "0.35 mm, as the images"),
        (64, 0.5, 12.0, 1.0, "0.5 mm, finer than the images (1 mm), or the structures would be small"),
        (256, 1.4, 129.0, 1.5, "1.4 mm, finer than the images (1.5 mm): 128 pixels show as much"),
        (64, 2.5, 120.0, 0.0, "2.5 mm"),
    ],
)  # fmt: skip
def test_words(size: int, pixel_size: float, width: float, own: float, words: str) -> None:
    assert pixel_size_in_words(size, pixel_size, width, own) == f"{size} pixels: {words}"
