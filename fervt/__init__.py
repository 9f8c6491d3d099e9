"""FERVT-GNN: facial-expression recognition with grid-wise attention, a graph and a transformer.

Predictions are *apparent expressions*, not felt emotions.

Example:
    >>> import fervt
    >>> from skimage import data
    >>> model = fervt.load()
    >>> faces = model(data.astronaut())
    >>> faces[0].label
    'happy'
"""

import importlib
from typing import TYPE_CHECKING, Any

from fervt.threads import wait_passively

if TYPE_CHECKING:
    from fervt.api import EvaluationResult as EvaluationResult
    from fervt.api import Explanation as Explanation
    from fervt.api import Face as Face
    from fervt.api import Faces as Faces
    from fervt.api import Predictor as Predictor
    from fervt.api import evaluate as evaluate
    from fervt.api import load as load
    from fervt.errors import FervtError as FervtError
    from fervt.images import read_image as read_image

__version__ = "0.1.0"

# Whatever is imported first, this runs before any module that loads PyTorch.
wait_passively()

# Imported on first use, so that `import fervt` is quick and needs no PyTorch.
_HOMES = {
    "EvaluationResult": "fervt.api",
    "Explanation": "fervt.api",
    "Face": "fervt.api",
    "Faces": "fervt.api",
    "FervtError": "fervt.errors",
    "Predictor": "fervt.api",
    "evaluate": "fervt.api",
    "load": "fervt.api",
    "read_image": "fervt.images",
}

__all__ = [
    "EvaluationResult",
    "Explanation",
    "Face",
    "Faces",
    "FervtError",
    "Predictor",
    "__version__",
    "evaluate",
    "load",
    "read_image",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fervt' has no attribute '{name}'")
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
