"""Where the files that ship with the program lie: the only module that knows."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

# In a checkout the workbench stands beside the package; a wheel carries it inside.
ROOT = _PACKAGE.parent if (_PACKAGE.parent / "streamlit_app.py").is_file() else _PACKAGE / "shipped"
"""Holds `streamlit_app.py`, `pages/`, `.streamlit/` and `assets/`."""

ASSETS = ROOT / "assets"
CHECKPOINTS = ASSETS / "checkpoints"
EVALUATIONS = ASSETS / "evaluations"
FAITHFULNESS = ASSETS / "faithfulness.json"

IMPORT_ROOT = _PACKAGE.parent
"""What a process must have on its path to import this very package."""
