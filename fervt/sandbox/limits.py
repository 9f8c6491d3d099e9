"""Budgets of memory and processor time, enforced by the kernel where possible."""

import os
from contextlib import suppress
from pathlib import Path

from fervt.resources import IMPORT_ROOT

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

READY = b"ready\n"
"""What a decoding process says before its first answer: what fails later is the picture's fault."""

_STATM = Path("/proc/self/statm")


def limit_memory(more_bytes: int) -> None:
    """Limits how much more memory this process can map; beyond that Python raises.

    Nothing is limited if the system does not report how much the process has.
    """
    if resource is None or not _STATM.exists():
        return
    mapped = int(_STATM.read_text().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = mapped + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (_within(limit, most), most))


def limit_cpu(more_s: int) -> None:
    """Ends this process once it has used this many more seconds of processor time."""
    if resource is None:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    limit = int(usage.ru_utime + usage.ru_stime) + 1 + more_s
    resource.setrlimit(resource.RLIMIT_CPU, (_within(limit, most), most))


def forbid_files() -> None:
    """From now on this process opens no file and no socket; those that are open stay so."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def go_first() -> None:
    """Asks the kernel to kill this process before others if memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def hide_environment() -> dict[str, str]:
    """An environment without the operator's keys, for a process that needs none of them.

    Modules are found where this process finds them: some systems' packages lie in PYTHONPATH alone.
    """
    kept = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
    paths = [str(IMPORT_ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


def _within(limit: int, most: int) -> int:
    unlimited = resource.RLIM_INFINITY
    return limit if most == unlimited else min(limit, most)
