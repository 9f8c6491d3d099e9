"""Untrusted pictures, decoded in a process that can be killed.

Decoders are written in C and get input from anyone. What header checks cannot guarantee, a
process with a memory and time budget can: a runaway decoder takes nothing else down with it.
"""

from fervt.sandbox.decoder import Decoder, read_photo

__all__ = ["Decoder", "read_photo"]
