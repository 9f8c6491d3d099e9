"""`fervt serve`: the HTTP service under gunicorn."""

import argparse
import dataclasses
import gc
import os
import shutil
import socket
import tempfile
from types import MappingProxyType

from fervt.checkpoint import find_checkpoint, load_checkpoint
from fervt.cli.extras import require_extra
from fervt.cli.model import add_model_options, chosen_predictor
from fervt.errors import ConfigError
from fervt.faces import FaceDetector
from fervt.service import ServiceConfig, create_app
from fervt.threads import limit_process, usable_cores

HELP = "serve predictions over HTTP"

KEY_VARIABLE = "FERVT_API_KEY"
MAX_DEFAULT_WORKERS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options: general ones first, then one for every limit of a worker."""
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 for all interfaces")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--workers", type=int, help="processes; by default one per core, up to 4")
    add_model_options(parser)
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="NAME=CAMERA_OR_FILE",
        help="lobby=0 or demo=clip.mp4, shown at /v1/stream?source=NAME; may be repeated",
    )
    group = parser.add_argument_group(
        "limits", f"of each worker; set the API key in the environment variable {KEY_VARIABLE}"
    )
    for item in _limits():
        text = f"{item.metadata['help']} (default {item.default})"
        flag = "--" + item.name.replace("_", "-")
        group.add_argument(flag, type=int, default=item.default, metavar="N", help=text)


def run(args: argparse.Namespace) -> int:
    """Serves until stopped."""
    require_extra("serve", "flask", "flask_sock", "gunicorn", "prometheus_client")
    limits = {
        f.name: getattr(args, f.name) for f in dataclasses.fields(ServiceConfig) if f.type is int
    }
    config = ServiceConfig(
        **limits, api_key=os.environ.get(KEY_VARIABLE, ""), sources=read_sources(args.source)
    )
    cores = usable_cores()
    workers = args.workers
    if workers is None:
        workers = 1 if config.sources else min(cores, MAX_DEFAULT_WORKERS)
    if workers < 1:
        raise ConfigError("--workers must be at least 1.")
    if config.sources and workers > 1:
        raise ConfigError(
            "Sources need one worker, since two processes cannot share a camera: --workers 1."
        )
    # Workers are forked from here without PyTorch's threads, and would wait for them forever.
    limit_process(1)
    checkpoint = find_checkpoint(args.checkpoint)
    # A bad one should be an error here, not a crash in a worker.
    load_checkpoint(checkpoint)
    FaceDetector()
    _check_address(args.host, args.port)
    folder, owner = tempfile.mkdtemp(prefix="fervt-metrics-"), os.getpid()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    try:
        # Only now, since prometheus_client reads the variable when it is imported.
        from fervt.service.server import Server

        # Freeze what is imported by now: workers share its memory and exit without collecting it,
        # which would take Python seconds.
        gc.collect()
        gc.freeze()
        Server(
            lambda: create_app(chosen_predictor(args), config),
            args.host,
            args.port,
            workers,
            config.threads,
            max(1, cores // workers),
        ).run()
    finally:
        if os.getpid() == owner:  # forked workers get here too
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def read_sources(pairs: list[str]) -> MappingProxyType[str, str]:
    """`["lobby=0"]` as a mapping.

    Raises:
        ConfigError: A pair has no name or no origin, or a name is used twice.
    """
    sources: dict[str, str] = {}
    for pair in pairs:
        name, _, origin = pair.partition("=")
        if not name or not origin or name in sources:
            raise ConfigError(f"--source '{pair}' must be NAME=CAMERA_OR_FILE, each name once.")
        is_file = not origin.isdecimal() and "://" not in origin
        if is_file and not os.path.isfile(origin):
            raise ConfigError(f"--source '{pair}' is neither a file nor a camera number.")
        # Absolute: FFmpeg takes what comes before a colon for a protocol.
        sources[name] = os.path.abspath(origin) if is_file else origin
    return MappingProxyType(sources)


def _limits() -> list[dataclasses.Field]:
    return [item for item in dataclasses.fields(ServiceConfig) if item.type is int]


def _check_address(host: str, port: int) -> None:
    """Fails right away, where gunicorn would retry for seconds and exit with its own code.

    Raises:
        ConfigError: The address is not available.
    """
    if not 1 <= port <= 65535:
        raise ConfigError(f"Cannot listen on port {port}: ports go from 1 to 65535.")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"Cannot listen on {host}, port {port}: {reason}.") from error
