"""The one 7x7 grid that the model, its explanations and their pictures share."""

GRID = 7
"""Cells a side. Cell (0, 0) is the upper left one; node n of the graph is cell divmod(n, GRID)."""
