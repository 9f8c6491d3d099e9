"""Photographs the app's pages in a real browser, for the README and to look at them.

python scripts/screenshots.py                              # assets/screenshots/*.png
python scripts/screenshots.py --out DIR --width 420 --dark --only predict
"""

import argparse
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
HEIGHT_PX = 900
TALLEST_PX = 3000

# What to photograph: a name, the address below the app's own, and a text that shows last.
VIEWS = {
    "home": ("", "not felt emotions"),
    "predict": ("predict?image=astronaut", "what the model saw"),
    "explain": ("explain?image=astronaut", "not felt emotions"),
    "evaluation": ("evaluation?label=fear&predicted=sad", "not felt emotions"),
    "evaluation-standing": ("evaluation?view=Standing", "not felt emotions"),
    "evaluation-classes": ("evaluation?view=Classes", "not felt emotions"),
    "evaluation-confidence": ("evaluation?view=Confidence", "not felt emotions"),
    "evaluation-people": ("evaluation?view=People", "not felt emotions"),
    "evaluation-map": ("evaluation?view=Map", "not felt emotions"),
    "evaluation-training": ("evaluation?view=Training", "not felt emotions"),
    "compare": ("compare", "not felt emotions"),
    "compare-face": ("compare?view=One+face&image=astronaut", "not felt emotions"),
    "model-card": ("model_card", "not felt emotions"),
    "evaluation-report": ("evaluation?view=Report", "not felt emotions"),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"screenshots: nothing answers at {url}")


def photograph(page: Page, url: str, last_text: str, path: Path) -> None:
    page.goto(url)
    page.get_by_text(last_text).first.wait_for(timeout=180_000)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_timeout(1500)  # pictures and charts take their places
    width_px = page.viewport_size["width"]
    tall_px = page.evaluate(
        "Math.max(...[...document.querySelectorAll('[data-testid=stMain],"
        "[data-testid=stSidebarContent]')].map(e => e.scrollHeight))"
    )
    page.set_viewport_size({"width": width_px, "height": min(TALLEST_PX, max(tall_px, HEIGHT_PX))})
    page.wait_for_timeout(1000)
    page.screenshot(path=path)
    page.set_viewport_size({"width": width_px, "height": HEIGHT_PX})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "screenshots")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in pixels")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--only", choices=VIEWS, nargs="+", default=list(VIEWS))
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("screenshots: there is no chromium on PATH")
    args.out.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/_stcore/health")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(
                viewport={"width": args.width, "height": HEIGHT_PX},
                color_scheme="dark" if args.dark else "light",
            )
            for name in args.only:
                view, last_text = VIEWS[name]
                photograph(page, f"{address}/{view}", last_text, args.out / f"{name}.png")
                print(args.out / f"{name}.png")
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=20)


if __name__ == "__main__":
    main()
