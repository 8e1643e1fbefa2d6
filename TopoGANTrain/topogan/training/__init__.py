"""The two trainings: masks against a discriminator with the topological loss, and pix2pix textures."""

from __future__ import annotations

from topogan.training.lifecycle import resume, train

__all__ = ["resume", "train"]
