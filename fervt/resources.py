"""Where the files that ship with the program lie: the only module that knows."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

# A wheel carries the workbench inside; in a checkout it stands beside the package.
_INSIDE = _PACKAGE / "shipped"
ROOT = _INSIDE if _INSIDE.is_dir() else _PACKAGE.parent
"""Holds `streamlit_app.py`, `pages/`, `.streamlit/` and `assets/`."""

ASSETS = ROOT / "assets"
CHECKPOINTS = ASSETS / "checkpoints"
EVALUATIONS = ASSETS / "evaluations"
GRAPHS = ASSETS / "graphs"
EXAMPLES = ASSETS / "examples"
TILT_WEIGHTS = ASSETS / "tilt.safetensors"
FAITHFULNESS = ASSETS / "faithfulness.json"

IMPORT_ROOT = _PACKAGE.parent
"""What a process must have on its path to import this very package."""
