"""Measures how long the pages take in a real browser, and prints a table.

python -m scripts.pages                  # starts its own server
python -m scripts.pages --rounds 5
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from skimage import data

from scripts.screenshots import ROOT, free_port, wait_for

SLOW_MS = 180_000
# The design's goals in seconds, on two idle cores.
GOALS = {
    "first page after the server's start": 4.0,
    "photo to answer": 1.2,
    "Explain": 1.2,
    "click on a cell": 0.5,
    "another tab": 0.6,
}
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def first_page(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Use my webcam").wait_for(timeout=SLOW_MS)


def photo_to_answer(page: Page, address: str, photo: Path) -> float:
    """Until the page is whole: before that, an example's answer may still be there."""
    page.goto(f"{address}/predict")
    page.wait_for_selector(READY, timeout=SLOW_MS)
    page.wait_for_timeout(500)
    started = time.perf_counter()
    page.get_by_test_id("stFileUploaderDropzoneInput").last.set_input_files(photo)
    page.wait_for_url(re.compile("image=[0-9a-f]{64}"), timeout=SLOW_MS)
    page.wait_for_selector(READY, timeout=SLOW_MS)
    page.get_by_role("heading", name="Happy").wait_for(timeout=SLOW_MS)
    return time.perf_counter() - started


def explain(page: Page) -> float:
    """From the click on "Why?" to the maps, for a photo that wasn't explained before."""
    started = time.perf_counter()
    page.get_by_role("button", name="Why?").click()
    page.get_by_role("grid", name="Grad-CAM").wait_for(timeout=SLOW_MS)
    return time.perf_counter() - started


def click_a_cell(page: Page) -> float:
    """Until the cell is marked in all maps and is in the address."""
    page.wait_for_selector(READY, timeout=SLOW_MS)
    cell = page.get_by_role("grid", name="Grad-CAM").get_by_role("gridcell").nth(38)
    cell.scroll_into_view_if_needed()
    started = time.perf_counter()
    cell.click()
    page.wait_for_function("location.search.includes('cell=5')", timeout=SLOW_MS)
    return time.perf_counter() - started


def open_a_tab(page: Page, address: str) -> float:
    page.goto(f"{address}/explain?image=astronaut&view=Evidence")
    page.get_by_text("evidence of all panels in").wait_for(timeout=SLOW_MS)
    page.wait_for_selector(READY, timeout=SLOW_MS)
    started = time.perf_counter()
    page.get_by_role("tab", name="Tokens").click()
    page.get_by_text("Attention among tokens").wait_for(timeout=SLOW_MS)
    return time.perf_counter() - started


def draw_photo(folder: Path, number: int) -> Path:
    """An astronaut that no earlier round has used: its file differs in one pixel."""
    image = data.astronaut()
    image[0, number] = 0
    path = folder / f"photo {number}.png"
    Image.fromarray(image).save(path)
    return path


def measure(page: Page, address: str, rounds: int, folder: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in GOALS}
    started = time.perf_counter()
    first_page(page, address)
    found["first page after the server's start"].append(time.perf_counter() - started)
    for number in range(rounds + 1):
        photo = draw_photo(folder, number)
        one: dict[str, Callable[[], float]] = {
            "photo to answer": lambda photo=photo: photo_to_answer(page, address, photo),
            "Explain": lambda: explain(page),
            "click on a cell": lambda: click_a_cell(page),
            "another tab": lambda: open_a_tab(page, address),
        }
        for name, act in one.items():
            seconds = act()
            if number:  # the first round warms up
                found[name].append(seconds)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("pages: there is no chromium on PATH")
    port = free_port()
    command = [sys.executable, "-m", "fervt", "app", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name != "FERVT_DATA"}
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/_stcore/health")
        with TemporaryDirectory() as folder, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            found = measure(page, address, args.rounds, Path(folder))
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=120)
    load = os.getloadavg()[0]
    print(f"| what | median s | slowest s | goal s |  (load {load:.1f}, {os.cpu_count()} cores)")
    print("|---|---|---|---|")
    for name, seconds in found.items():
        middle, worst = statistics.median(seconds), max(seconds)
        print(f"| {name} | {middle:.2f} | {worst:.2f} | {GOALS[name]:.1f} |")


if __name__ == "__main__":
    main()
