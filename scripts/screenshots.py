"""Takes screenshots of the app's pages in a real browser, for the README and for review.

python -m scripts.screenshots                      # assets/screenshots: the docs' pictures
python -m scripts.screenshots --out DIR --width 420 --dark [--only predict]    # all views
python -m scripts.screenshots --first-screens      # docs/screens: three sizes, both themes
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.soak import moving_astronaut

ROOT = Path(__file__).resolve().parents[1]
HEIGHT_PX = 900
TALLEST_PX = 3000
SLOW_MS = 600_000  # the machine may be busy training
STREAM_S = 20  # what the picture's timeline shows
CAMERA = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)

# What to capture: a name, the path in the app, and a text that appears last.
VIEWS = {
    "home": ("", "not felt emotions"),
    "predict": ("predict", "not felt emotions"),
    "predict-portrait": ("predict?image=grace+hopper", "not felt emotions"),
    "explain": ("explain?image=astronaut", "not felt emotions"),
    "explain-depths": ("explain?image=astronaut&view=Evidence&cell=5,3", "not felt emotions"),
    "glossary": ("glossary", "not felt emotions"),
    "evaluation": ("evaluation?label=fear&predicted=sad", "not felt emotions"),
    "evaluation-benchmarks": ("evaluation?view=Benchmarks", "not felt emotions"),
    "evaluation-classes": ("evaluation?view=Classes", "not felt emotions"),
    "evaluation-confidence": ("evaluation?view=Confidence", "not felt emotions"),
    "evaluation-people": ("evaluation?view=People", "not felt emotions"),
    "evaluation-map": ("evaluation?view=Map", "not felt emotions"),
    "evaluation-training": ("evaluation?view=Training", "not felt emotions"),
    "live": ("live?overlay=gwa", "not felt emotions"),
    "live-video": ("live?source=video&overlay=graph", "not felt emotions"),
    "compare": ("compare?checkpoint=ablation&with=ablation-without-gnn", "not felt emotions"),
    "compare-face": (
        "compare?checkpoint=fervt-narrow&with=fervt-wide&view=One+face&image=astronaut",
        "not felt emotions",
    ),
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


def write_film(path: Path, codec: str, pixels: str) -> Path:
    """A moving astronaut, for the camera and for the upload."""
    with av.open(str(path), "w") as film:
        stream = None
        for index, image in enumerate(moving_astronaut(swing=30)):
            if stream is None:
                stream = film.add_stream(codec, rate=20)
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = pixels
                if codec == "mjpeg":
                    stream.codec_context.color_range = 2  # JPEG's
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 20)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


def start_camera(page: Page, folder: Path) -> None:
    page.get_by_role("button", name="Agree and continue").click(timeout=SLOW_MS)
    camera = page.frame_locator('iframe[title*="webrtc"]')
    camera.get_by_role("button", name="Start").click(timeout=SLOW_MS)
    page.get_by_text(re.compile(r"Face \d+:")).first.wait_for(timeout=SLOW_MS)
    page.wait_for_timeout(1000 * STREAM_S)


def upload_film(page: Page, folder: Path) -> None:
    chooser = '[data-testid="stMain"] [data-testid="stFileUploaderDropzoneInput"]'
    film = write_film(folder / "astronaut.mp4", "libx264", "yuv420p")
    page.locator(chooser).set_input_files(film)
    page.get_by_text("80 frames in").wait_for(timeout=SLOW_MS)


# Actions on a page before its screenshot.
ACTS: dict[str, Callable[[Page, Path], None]] = {"live": start_camera, "live-video": upload_film}


# The sizes of first screens: a monitor, a laptop, a phone.
SIZES = {"wide": (1920, 1080), "laptop": (1280, 720), "phone": (390, 844)}
THEMES = ("light", "dark")
FIRST_SCREENS = ("home", "predict", "explain", "live", "glossary", "evaluation", "compare")
FIRST_QUALITY = 70  # JPEG quality: 42 of these pictures are in git


def photograph_first_screens(
    browser: Browser, address: str, names: Sequence[str], out: Path
) -> None:
    """What people see before they scroll; on the live page, before the camera request."""
    for theme in THEMES:
        for size, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
            for name in names:
                page.goto(f"{address}/{VIEWS[name][0]}")
                page.get_by_text(VIEWS[name][1]).first.wait_for(timeout=SLOW_MS)
                page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
                page.wait_for_timeout(1500)
                path = out / f"{name}-{size}-{theme}.jpg"
                page.screenshot(path=path, type="jpeg", quality=FIRST_QUALITY)
                print(path)
            page.close()


def photograph(page: Page, url: str, name: str, folder: Path, path: Path) -> None:
    page.goto(url)
    page.get_by_text(VIEWS[name][1]).first.wait_for(timeout=SLOW_MS)
    if name in ACTS:
        ACTS[name](page, folder)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_timeout(1500)  # until pictures and charts are in place
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
    parser.add_argument("--out", type=Path, help="assets/screenshots, or docs/screens")
    parser.add_argument("--first-screens", action="store_true")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in pixels")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--only", choices=VIEWS, nargs="+")
    args = parser.parse_args()
    usual = ROOT / ("docs/screens" if args.first_screens else "assets/screenshots")
    shown = [name for name in VIEWS if args.out or (usual / f"{name}.png").is_file()]
    names = args.only or (FIRST_SCREENS if args.first_screens else shown)
    out = args.out or usual
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("screenshots: there is no chromium on PATH")
    out.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    # Without the data set: its faces may not be published.
    environment = {name: value for name, value in os.environ.items() if name != "FERVT_DATA"}
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/_stcore/health")
        with TemporaryDirectory() as temporary, sync_playwright() as playwright:
            folder = Path(temporary)
            film = write_film(folder / "camera.mjpeg", "mjpeg", "yuvj420p")
            options = [
                "--no-sandbox",
                "--disable-gpu",
                *CAMERA,
                f"--use-file-for-fake-video-capture={film}",
            ]
            browser = playwright.chromium.launch(executable_path=chromium, args=options)
            if args.first_screens:
                photograph_first_screens(browser, address, names, out)
            else:
                page = browser.new_page(
                    viewport={"width": args.width, "height": HEIGHT_PX},
                    color_scheme="dark" if args.dark else "light",
                )
                for name in names:
                    url = f"{address}/{VIEWS[name][0]}"
                    photograph(page, url, name, folder, out / f"{name}.png")
                    print(out / f"{name}.png")
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=120)


if __name__ == "__main__":
    main()
