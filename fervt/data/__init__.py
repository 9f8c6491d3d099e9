"""Data: sources, the prepared file made from them, and the transforms from faces to inputs."""
