"""FERVT-GNN: facial-expression recognition with grid-wise attention, a graph and a transformer.

Predictions are *apparent expressions*, not felt emotions.
"""

__version__ = "0.1.0"
