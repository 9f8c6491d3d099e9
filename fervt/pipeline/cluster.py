"""The same parts on a cluster, through Ray Data: it places them, feeds them and repeats lost ones.

The parts are sent back to the machine that started the run, which writes them. So only the images
must be where every machine sees them.
"""

import logging
import os
import pickle
import socket
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from fervt.errors import DataError, FervtError
from fervt.pipeline.images import answer_chunk
from fervt.pipeline.meter import Meter
from fervt.pipeline.plan import Chunk, printable
from fervt.pipeline.run import Run, images_of, make_part, write_part_table
from fervt.predict import Predictor
from fervt.progress import Progress
from fervt.threads import limit_process

_CONNECT_S = 10


class PartMaker:
    """The worker on the cluster, one per core, each with its own checkpoint.

    Args:
        checkpoint: The checkpoint file's name and content.
        engine: What runs the network, as in `Predictor`.
        base: The folder that relative paths start from.
        whole_image: Take each image as one face.
    """

    def __init__(
        self, checkpoint: tuple[str, bytes], engine: str, base: str, whole_image: bool
    ) -> None:
        limit_process(1)
        name, content = checkpoint
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / name
            file.write_bytes(content)
            self._predictor = Predictor(file, engine=engine)
        self._base, self._whole_image = base, whole_image

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Makes parts: a table with their numbers, their rows, packed, and what went wrong."""
        numbers, packed, problems = [], [], []
        for row in batch.to_pylist():
            numbers.append(row["number"])
            # A message is returned: an exception would come back wrapped in the cluster's own.
            try:
                packed.append(_pack(self._make(pickle.loads(row["chunk"]))))
                problems.append("")
            except FervtError as error:
                packed.append(b"")
                problems.append(str(error))
        parts = pa.array(packed, pa.large_binary())
        return pa.table({"number": numbers, "part": parts, "problem": problems})

    def _make(self, chunk: Chunk) -> pa.Table:
        places = [os.fsdecode(name) for name in chunk.names] or [chunk.place]
        if not any(os.path.exists(os.path.join(self._base, place)) for place in places):
            raise DataError(
                f"'{printable(places[0])}' is not on {socket.gethostname()}: the images must "
                "be where every machine of the cluster sees them."
            )
        rows = answer_chunk(self._predictor, chunk, self._whole_image, self._base)
        return make_part(len(chunk), rows, self._predictor.classes.classes)


def run_on_ray(run: Run, checkpoint: Path, engine: str, address: str, report: Progress) -> None:
    """Makes the parts that are missing, on a Ray cluster.

    Args:
        run: The table in the making.
        checkpoint: The checkpoint's file; it is sent along.
        engine: What runs the network, as in `Predictor`.
        address: Where the cluster is, as `ray.init` takes it; "auto" for the one that this machine
            belongs to, "local" for one of this machine alone.
        report: Called with the progress.

    Raises:
        DataError: The cluster cannot be reached, or cannot read the images.
    """
    import ray
    import ray.data
    import ray.exceptions

    tasks = [{"number": n, "chunk": pickle.dumps(chunk)} for n, chunk in run.waiting()]
    if not tasks:
        return
    own = not ray.is_initialized()
    if own:
        try:
            _reach(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(f"There is no Ray cluster at '{address}'.") from error
    try:
        _log_to_files_only()
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = context.print_on_execution_start = False
        resources = ray.cluster_resources()
        cores = max(1, int(resources.get("CPU", 1)))
        workers = min(cores, len(tasks))
        parts = ray.data.from_items(tasks, override_num_blocks=len(tasks)).map_batches(
            PartMaker,
            fn_constructor_args=(
                (checkpoint.name, checkpoint.read_bytes()),
                engine,
                run.base,
                run.whole_image,
            ),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
            num_cpus=1,
            # The workers of a machine share its GPUs.
            num_gpus=min(1.0, resources.get("GPU", 0) / cores) or None,
        )
        meter = Meter(run.done, run.images, report)
        for number, table in _unpack(parts.iter_batches(batch_size=1, batch_format="pyarrow")):
            write_part_table(run.folder, number, table)
            meter.add(images_of(table))
    except ray.exceptions.RayError as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise DataError(
            f"The Ray cluster gave up ({reason}). Run the same command again to continue."
        ) from error
    finally:
        if own:
            ray.shutdown()


def _log_to_files_only() -> None:
    """Ray Data's log goes to its folder, and not between our lines too."""
    log = logging.getLogger("ray.data")
    log.handlers = [one for one in log.handlers if not isinstance(one, logging.StreamHandler)]


def _reach(address: str) -> None:
    """Raises OSError where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()


def _pack(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def _unpack(batches: Iterable[Any]) -> Iterator[tuple[int, pa.Table]]:
    for batch in batches:
        for row in batch.to_pylist():
            if row["problem"]:
                raise DataError(row["problem"])
            with pa.ipc.open_stream(row["part"]) as stream:
                yield row["number"], stream.read_all()
