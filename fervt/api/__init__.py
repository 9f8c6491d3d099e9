"""The API of `import fervt`: a model to call on pictures, and results for notebooks."""

from fervt.api.evaluation import EvaluationResult, evaluate
from fervt.api.explanation import Explanation
from fervt.api.faces import Face, Faces
from fervt.api.model import Predictor, load

__all__ = [
    "EvaluationResult",
    "Explanation",
    "Face",
    "Faces",
    "Predictor",
    "evaluate",
    "load",
]
