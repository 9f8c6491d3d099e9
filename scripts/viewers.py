"""Measures the cost of many viewers at once, over the websocket that Streamlit's pages use.

    python -m scripts.viewers                          # 50 at once, with its own server
    python -m scripts.viewers --count 0 --come-and-go 500
    python -m scripts.viewers --count 0 --come-and-go 900 --stay 12  # about an hour
    python -m scripts.viewers --url http://127.0.0.1:8501

Each viewer opens Predict, Explain or Evaluation as a browser does and waits until the page is
complete. Pictures aren't fetched and nothing is drawn, so only the server is measured. With
`--url`, only the seconds are printed, since the script can't inspect that server's processes.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
PAGES = ("predict", "explain", "evaluation")
LAST_WORDS = "not felt emotions"  # every page ends with this
SLOW_S = 600.0
SESSIONS_KEPT_S = 120.0  # how long the session of a closed tab is kept
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """An app started by this script, and the CPU time and memory of its processes."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        self.url = f"http://{HOST}:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fervt", "app", "--port", str(port)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        """Returns once the app answers."""
        deadline = time.monotonic() + SLOW_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):
                return
            time.sleep(0.2)
        raise SystemExit("The app did not start.")

    def stop(self) -> None:
        """Stops the app and waits."""
        self.process.terminate()
        self.process.wait(timeout=120)

    def tree(self) -> Iterator[int]:
        """Ids of its process and all descendants."""
        waiting = [self.process.pid]
        while waiting:
            pid = waiting.pop()
            yield pid
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):
                    waiting += map(int, task.read_text().split())

    def cpu_s(self) -> float:
        """CPU time so far, including that of processes that have ended."""
        ticks = 0
        for pid in self.tree():
            with suppress(OSError):
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, stat[11:15]))
        return ticks / _TICKS

    def memory_mb(self) -> float:
        """Memory in use; what processes share is counted once."""
        kilobytes = 0
        for pid in self.tree():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        kilobytes += int(line.split()[1])
        return kilobytes / 1024


@dataclass
class Watch:
    """The peak of the server's memory, sampled regularly."""

    server: Server
    peak_mb: float = 0.0

    async def run(self) -> None:
        """Samples until it is canceled."""
        while True:
            self.peak_mb = max(self.peak_mb, self.server.memory_mb())
            await asyncio.sleep(0.5)


@dataclass
class Visits:
    """The viewers' results.

    Attributes:
        seconds: From opening the connection to a finished run, by page.
        failures: Error messages.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


async def open_page(url: str, page: str) -> tuple[ClientConnection, float]:
    """Opens a page as a browser does.

    Returns:
        The open connection, and the seconds until the page was complete.

    Raises:
        RuntimeError: The page failed or was incomplete.
    """
    started = time.perf_counter()
    address = f"ws{url.removeprefix('http')}/_stcore/stream"
    connection = await connect(
        address,
        subprotocols=["streamlit"],
        max_size=None,
        max_queue=None,  # a full queue stops the reading, and then closing hangs
        ping_interval=None,
        open_timeout=SLOW_S,
        close_timeout=SLOW_S,
    )
    try:
        wish = BackMsg()
        wish.rerun_script.page_name = page
        wish.rerun_script.context_info.url = f"{url}/{page}"
        wish.rerun_script.context_info.timezone = "UTC"
        wish.rerun_script.context_info.locale = "en-US"
        await connection.send(wish.SerializeToString())
        async with asyncio.timeout(SLOW_S):
            await _read_page(connection, page)
    except BaseException:
        await connection.close()
        raise
    return connection, time.perf_counter() - started


async def _read_page(connection: ClientConnection, page: str) -> None:
    whole = False
    async for content in connection:
        assert isinstance(content, bytes)
        message = ForwardMsg.FromString(content)
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if element.HasField("exception") or element.alert.format == Alert.ERROR:
                raise RuntimeError(f"{page}: {element}")
            whole |= LAST_WORDS in str(element.markdown.body)
        elif kind == "page_not_found":  # Home is shown instead
            raise RuntimeError(f"{page}: there is no such page")
        elif kind == "script_finished" and (
            message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        ):
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY and whole:
                return
            raise RuntimeError(f"{page}: its run ended before the page was complete")
    raise RuntimeError(f"{page}: the server hung up")


async def all_at_once(url: str, count: int) -> Visits:
    """Opens this many pages at once; all viewers leave when every page is complete."""
    visits = Visits()
    connections: list[ClientConnection] = []

    async def come(number: int) -> None:
        await _visit(url, PAGES[number % len(PAGES)], visits, connections)

    await asyncio.gather(*map(come, range(count)))
    await asyncio.gather(*(connection.close() for connection in connections))
    return visits


async def _visit(url: str, page: str, visits: Visits, open_: list[ClientConnection]) -> None:
    try:
        connection, seconds = await open_page(url, page)
    except (OSError, RuntimeError, TimeoutError) as error:
        visits.failures.append(str(error) or type(error).__name__)
        return
    open_.append(connection)
    visits.seconds.setdefault(page, []).append(seconds)


async def come_and_go(
    server: Server, count: int, abreast: int, stay_s: float
) -> tuple[Visits, list[float]]:
    """Viewers who arrive in turn, several at a time, and leave after seeing their page.

    Args:
        server: The server they visit.
        count: Viewers in total.
        abreast: How many at a time.
        stay_s: How long each stays once the page is complete.

    Returns:
        Their results, and the memory in MB at the start and after each tenth of them.
    """
    visits, memory = Visits(), [server.memory_mb()]
    numbers = iter(range(count))

    async def one_after_another() -> None:
        for number in numbers:
            if number and number % max(1, count // 10) == 0:
                memory.append(server.memory_mb())
            left: list[ClientConnection] = []
            await _visit(server.url, PAGES[number % len(PAGES)], visits, left)
            await asyncio.sleep(stay_s)
            for connection in left:
                await connection.close()

    await asyncio.gather(*(one_after_another() for _ in range(abreast)))
    memory.append(server.memory_mb())
    return visits, memory


def say_seconds(visits: Visits) -> None:
    """Prints one row per page."""
    print("| page | viewers | median s | 95th percentile s |")
    print("|---|---|---|---|")
    for page, seconds in sorted(visits.seconds.items()):
        ordered = sorted(seconds)
        p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        print(f"| {page} | {len(seconds)} | {statistics.median(seconds):.2f} | {p95:.2f} |")
    for failure in visits.failures:
        print("failed:", failure)


async def measure_at_once(server: Server, count: int, wait_s: float) -> Visits:
    """Prints the cost of this many viewers at once, and the memory that remains afterward."""
    watch = Watch(server)
    before_mb, before_s = server.memory_mb(), server.cpu_s()
    watching = asyncio.create_task(watch.run())
    visits = await all_at_once(server.url, count)
    cost_s = server.cpu_s() - before_s
    watching.cancel()
    say_seconds(visits)
    print(
        f"{count} at once: {cost_s:.1f} s of CPU time, {cost_s / count:.2f} s each; "
        f"memory {before_mb:.0f} MB before, {max(watch.peak_mb, before_mb):.0f} MB at the peak",
        flush=True,
    )
    await asyncio.sleep(wait_s)
    print(f"{server.memory_mb():.0f} MB {wait_s:.0f} s after they left", flush=True)
    return visits


async def measure_come_and_go(
    server: Server, count: int, abreast: int, stay_s: float, wait_s: float
) -> Visits:
    """Prints the memory over time while viewers come and go."""
    started, before_s = time.perf_counter(), server.cpu_s()
    visits, memory = await come_and_go(server, count, abreast, stay_s)
    took_s, cost_s = time.perf_counter() - started, server.cpu_s() - before_s
    say_seconds(visits)
    print(
        f"{count} came and went in {took_s:.0f} s: {cost_s / count:.2f} s of CPU time each; "
        "memory in MB, after each tenth: " + ", ".join(f"{one:.0f}" for one in memory),
        flush=True,
    )
    await asyncio.sleep(wait_s)
    print(f"{server.memory_mb():.0f} MB {wait_s:.0f} s after the last left", flush=True)
    return visits


@contextmanager
def serving() -> Iterator[Server]:
    """A server started by this script, with each page visited once."""
    server = Server()
    try:
        server.wait()
        for page in PAGES:
            first = asyncio.run(_look_in(server.url, page))
            print(f"first visit of {page}: {first:.1f} s", flush=True)
        yield server
    finally:
        server.stop()


async def _look_in(url: str, page: str) -> float:
    connection, seconds = await open_page(url, page)
    await connection.close()
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=50, help="viewers at once")
    parser.add_argument("--come-and-go", type=int, default=0, metavar="N", help="viewers in turn")
    parser.add_argument("--abreast", type=int, default=3, help="how many of those at a time")
    parser.add_argument("--stay", type=float, default=0.0, metavar="S", help="seconds each stays")
    parser.add_argument(
        "--wait",
        type=float,
        default=SESSIONS_KEPT_S + 15,
        metavar="S",
        help="until memory is measured again; a closed tab's session is kept for two minutes",
    )
    parser.add_argument("--url", help="address of an app that is already running")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if args.url:
        visits = [asyncio.run(all_at_once(args.url.rstrip("/"), args.count))]
        say_seconds(visits[0])
        return any(each.failures for each in visits)
    visits = []
    with serving() as server:
        if args.count:
            visits.append(asyncio.run(measure_at_once(server, args.count, args.wait)))
        if args.come_and_go:
            work = measure_come_and_go(server, args.come_and_go, args.abreast, args.stay, args.wait)
            visits.append(asyncio.run(work))
    return any(each.failures for each in visits)


if __name__ == "__main__":
    sys.exit(main())
