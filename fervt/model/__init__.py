"""The model: one idea per file, assembled in `fervt_gnn.py`."""

from fervt.model.fervt_gnn import FERVTGNN, FERVTConfig, FERVTOutput, Intervention

__all__ = ["FERVTGNN", "FERVTConfig", "FERVTOutput", "Intervention"]
