"""How the program opens networks with ONNX Runtime."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(network: bytes | Path, threads: int) -> "InferenceSession":
    """Plans a network on the CPU; the session is thread-safe.

    Args:
        network: An ONNX file or its content.
        threads: That one run uses.
    """
    import onnxruntime  # slow to import, and seldom needed just to read figures

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    # A thread that spins beside another busy program waits for one that isn't running.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    given = network if isinstance(network, bytes) else str(network)
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
