"""Strangers' pictures, decoded in a process that can be killed.

Decoders are written in C and fed by whoever likes to. What checks of a header cannot promise, a
process with a budget of memory and time can: a decoder that runs away takes nothing else with it.
"""

from fervt.sandbox.decoder import Decoder, read_photo

__all__ = ["Decoder", "read_photo"]
