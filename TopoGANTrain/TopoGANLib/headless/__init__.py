"""What the demo needs in place of the application: a scene with its logics, and pictures of it."""
