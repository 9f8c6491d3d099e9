"""The command line: `python -m fervt VERB ...`. Each verb is a module of `fervt.cli`."""

import argparse
import importlib
import io
import signal
import sys

from fervt import __version__
from fervt.cli.ending import Terminated, run_to_end

VERBS = (
    "prepare",
    "train",
    "evaluate",
    "checkpoints",
    "predict",
    "explain",
    "video",
    "report",
    "export",
    "bench",
    "app",
    "serve",
)


def main(argv: list[str] | None = None) -> int:
    """Runs one verb; returns the exit code, 2 with one line on stderr for a known error."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # for locales that have only ASCII
        sys.stdout.reconfigure(errors="backslashreplace")
    if argv is None:
        _unwind_when_terminated()
    return run_to_end("fervt", lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="fervt", description="Facial-expression workbench.")
    parser.add_argument("--version", action="version", version=f"fervt {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    # Importing PyTorch takes seconds, so only the requested verb is imported.
    chosen = arguments[0] if arguments and arguments[0] in VERBS else None
    modules = {}
    for verb in VERBS if chosen is None else (chosen,):
        modules[verb] = importlib.import_module(f"fervt.cli.{verb}")
        modules[verb].add_arguments(
            verbs.add_parser(verb, help=modules[verb].HELP, description=modules[verb].HELP)
        )
    parsed = parser.parse_args(arguments)
    return int(modules[parsed.verb].run(parsed))


def _unwind_when_terminated() -> None:
    def stop(number: int, frame: object) -> None:
        for each in signals:  # once is enough: the cleanup must not be interrupted
            signal.signal(each, signal.SIG_IGN)
        raise Terminated

    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for each in signals:
        if signal.getsignal(each) is signal.SIG_DFL:  # not if nohup has it ignored
            signal.signal(each, stop)


if __name__ == "__main__":
    sys.exit(main())
