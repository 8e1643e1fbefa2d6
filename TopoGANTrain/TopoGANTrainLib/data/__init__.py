"""What a training learns from: patients of the scene, files, training sets."""
