"""The command line: `python -m fervt VERB ...`. Each verb lives in a module of `fervt.cli`."""

import argparse
import importlib
import io
import sys

from fervt import __version__
from fervt.errors import FervtError

VERBS = (
    "prepare",
    "train",
    "evaluate",
    "checkpoints",
    "predict",
    "explain",
    "video",
    "report",
    "bench",
    "app",
    "serve",
)


def main(argv: list[str] | None = None) -> int:
    """Runs one verb; returns the exit code, 2 with one line on stderr for a known error."""
    arguments = sys.argv[1:] if argv is None else argv
    if isinstance(sys.stdout, io.TextIOWrapper):  # where the locale knows ASCII only
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(prog="fervt", description="Facial-expression workbench.")
    parser.add_argument("--version", action="version", version=f"fervt {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    # Importing PyTorch takes seconds, so only the verb that is asked for is imported.
    chosen = arguments[0] if arguments and arguments[0] in VERBS else None
    modules = {}
    for verb in VERBS if chosen is None else (chosen,):
        modules[verb] = importlib.import_module(f"fervt.cli.{verb}")
        modules[verb].add_arguments(
            verbs.add_parser(verb, help=modules[verb].HELP, description=modules[verb].HELP)
        )
    parsed = parser.parse_args(arguments)
    try:
        return int(modules[parsed.verb].run(parsed))
    except FervtError as error:
        print(f"fervt: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that is a file, a missing permission
        print(f"fervt: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fervt: stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
