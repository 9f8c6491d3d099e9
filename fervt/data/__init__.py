"""Data: sources, the prepared file made from them, and the transforms from face to input."""
