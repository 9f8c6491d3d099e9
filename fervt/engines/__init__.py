"""The engines that run the network: PyTorch everywhere, ONNX Runtime for faces on a CPU.

One face is 0.15 billion multiplications spread over hundreds of small operators, so most of
PyTorch's time is spent starting them. ONNX Runtime plans the whole network when it is loaded and
answers two to three times faster. It can't differentiate, nor replace a part of the network along
the way, so explanations use PyTorch.
"""

from fervt.engines.engine import ENGINES, Engine, EngineChoice, Output
from fervt.engines.onnx_runtime import OnnxEngine
from fervt.engines.opening import open_engine
from fervt.engines.pytorch import TorchEngine

__all__ = [
    "ENGINES",
    "Engine",
    "EngineChoice",
    "OnnxEngine",
    "Output",
    "TorchEngine",
    "open_engine",
]
