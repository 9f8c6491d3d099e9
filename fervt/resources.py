"""Where the files that ship with the program are: the only module that knows."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

# A wheel contains the workbench; in a checkout it is beside the package.
_INSIDE = _PACKAGE / "shipped"
ROOT = _INSIDE if _INSIDE.is_dir() else _PACKAGE.parent
"""Contains `streamlit_app.py`, `pages/`, `.streamlit/` and `assets/`."""

ASSETS = ROOT / "assets"
CHECKPOINTS = ASSETS / "checkpoints"
EVALUATIONS = ASSETS / "evaluations"
GRAPHS = ASSETS / "graphs"
EXAMPLES = ASSETS / "examples"
TILT_NETWORK = ASSETS / "tilt.onnx"
FAITHFULNESS = ASSETS / "faithfulness.json"

IMPORT_ROOT = _PACKAGE.parent
"""What a process needs on its path to import this very package."""
