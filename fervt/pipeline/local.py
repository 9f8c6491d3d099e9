"""All cores of one machine: one process per core, each going from file to row.

Processes, though two threads were as fast as two of them: on many cores the interpreter's lock
would be the limit, and a process's memory problems stay its own. What they exchange is small: a
part's number and its chunk one way, the number of images the other.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple

from fervt.errors import DataError, FervtError, is_lack_of_memory
from fervt.pipeline.images import answer_chunk
from fervt.pipeline.meter import Meter
from fervt.pipeline.plan import CHUNK_IMAGES, Chunk
from fervt.pipeline.run import Run, write_part
from fervt.predict import Predictor
from fervt.progress import Progress
from fervt.threads import limit_process, usable_cores

_AHEAD = 2  # parts per worker that are handed out in advance


class _Task(NamedTuple):
    folder: Path
    base: str
    whole_image: bool


class _Stopped(Exception):
    pass


def run_locally(
    run: Run, predictor: Predictor, checkpoint: Path, workers: int | None, report: Progress
) -> None:
    """Makes the parts that are missing.

    Args:
        run: The table in the making.
        predictor: The checkpoint.
        checkpoint: Its file.
        workers: Processes, 1 or more; None takes one per core.
        report: Called with the progress.

    Raises:
        DataError: A source can no longer be read, or a worker was killed.
        FervtError: A worker cannot load the checkpoint.
    """
    count = min(workers or usable_cores(), -(-(run.images - run.done) // CHUNK_IMAGES))
    task = _Task(run.folder, run.base, run.whole_image)
    meter = Meter(run.done, run.images, report)
    if count <= 1:
        for number, chunk in run.waiting():
            meter.add(_make_part(task, predictor, number, chunk, lambda: None))
        return
    context = multiprocessing.get_context("spawn")  # forks of a process with threads hang
    stop = context.Event()
    executor = ProcessPoolExecutor(
        count,
        context,
        _start_worker,
        (checkpoint, str(predictor.device), predictor.engine.key, task, stop),
    )
    running: set[Future[int]] = set()
    try:
        for number, chunk in run.waiting():
            running.add(executor.submit(_work, number, chunk))
            if len(running) >= _AHEAD * count:
                running = _collect(running, meter)
        while running:
            running = _collect(running, meter)
    except BrokenProcessPool as error:
        raise DataError(
            "A worker process was killed, most likely for lack of memory. Run the same command "
            "again to continue, with fewer --workers."
        ) from error
    except (MemoryError, RuntimeError) as error:
        if not is_lack_of_memory(error):
            raise
        raise DataError("The machine ran out of memory; use fewer --workers.") from error
    finally:
        stop.set()
        executor.shutdown(cancel_futures=True)


def _collect(running: set[Future[int]], meter: Meter) -> set[Future[int]]:
    done, running = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        meter.add(future.result())
    return running


def _make_part(
    task: _Task, predictor: Predictor, number: int, chunk: Chunk, check: Callable[[], None]
) -> int:
    rows = answer_chunk(predictor, chunk, task.whole_image, task.base, check)
    write_part(task.folder, number, len(chunk), rows, predictor.classes.classes)
    return len(chunk)


_worker: tuple[_Task, Predictor, Event] | FervtError | MemoryError | RuntimeError


def _start_worker(checkpoint: Path, device: str, engine: str, task: _Task, stop: Event) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process says when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    limit_process(1)
    try:
        _worker = task, Predictor(checkpoint, device, engine), stop
    except (FervtError, MemoryError, RuntimeError) as error:
        _worker = error  # raised here, it would look like a worker that was killed


def _work(number: int, chunk: Chunk) -> int:
    if isinstance(_worker, Exception):
        raise _worker
    task, predictor, stop = _worker

    def check() -> None:
        if stop.is_set():
            raise _Stopped

    return _make_part(task, predictor, number, chunk, check)


def _end_with_parent() -> None:
    """A pool's worker would wait for work forever if the main process were killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
