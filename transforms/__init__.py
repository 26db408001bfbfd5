"""The stages of policywire: PTransforms and the logic under them."""
