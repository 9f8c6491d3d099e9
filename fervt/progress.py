"""How far long work is: the one type of report, whoever does the work and whoever shows it."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the share that is done, 0..1, and what is being done."""
