"""Data: sources, the prepared file that all sources become, and the way from a face to input."""
