"""Measures `fervt predict --out` on many images, killed halfway and resumed.

    python -m scripts.many faces --data data/fer2013.parquet --count 100000 --folder /tmp/faces
    python -m scripts.many photos --count 1000 --folder /tmp/photos

The images are made first if the folder doesn't have them yet. Faces are sampled repeatedly from a
prepared file, as JPEG, PNG and WebP; photos are one to three portraits on drawn
backgrounds of 1600 x 1200 pixels. Images per second and core are images per CPU time, which
other programs on the machine hardly affect.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq

from fervt.data.folders import walk
from fervt.data.prepared import read_prepared
from fervt.examples import load_example
from fervt.images import read_image
from fervt.labels import SPLITS
from fervt.pipeline.plan import CHUNK_IMAGES

KINDS = (".jpg", ".png", ".webp")
A_FOLDER = 5_000


def make_faces(folder: Path, data: Path, count: int) -> None:
    faces = read_prepared(data, SPLITS).images
    random = np.random.default_rng(0)
    for number in range(count):
        face = faces[random.integers(len(faces))]
        _write(folder, number, face)


def make_photos(folder: Path, count: int, files: list[Path]) -> None:
    pictures = [load_example("astronaut"), *map(read_image, files)]
    portraits = [np.ascontiguousarray(picture[..., ::-1]) for picture in pictures]
    random = np.random.default_rng(0)
    for number in range(count):
        small = random.integers(40, 216, (9, 12, 3), dtype=np.uint8)
        photo = cv2.resize(small, (1600, 1200), interpolation=cv2.INTER_CUBIC)
        noise = random.integers(-12, 13, photo.shape, dtype=np.int16)
        photo = np.clip(photo + noise, 0, 255).astype(np.uint8)
        for place in range(random.integers(1, 4)):
            portrait = portraits[random.integers(len(portraits))]
            scale = random.uniform(0.5, 1.0)
            portrait = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            height, width = portrait.shape[:2]
            left, top = 530 * place, random.integers(0, 1200 - height)
            photo[top : top + height, left : left + width] = portrait
        _write(folder, number, photo, KINDS[:1])


def _write(folder: Path, number: int, image: Any, kinds: tuple[str, ...] = KINDS) -> None:
    kind = kinds[number % len(kinds)]
    place = folder / f"{number // A_FOLDER:03d}"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{(number * 7919) % 1_000_003:07d} {number}{kind}").write_bytes(
        cv2.imencode(kind, image)[1].tobytes()
    )


class Start:
    """One run of the command, watched until it ends or is killed at `kill_at` parts."""

    def __init__(self, command: list[str], parts: Path, kill_at: int | None = None) -> None:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        began = time.monotonic()
        self.peak_mb = self.cpu_s = 0.0
        self.done: list[tuple[float, float, int]] = []  # seconds, CPU time, parts
        while process.poll() is None:
            family = [process.pid, *_children(process.pid)]
            self.peak_mb = max(self.peak_mb, sum(map(_memory_mb, family)))
            self.cpu_s = max(self.cpu_s, sum(map(_cpu_s, family)))
            if parts.is_dir():
                self.done.append((time.monotonic() - began, self.cpu_s, _count(parts)))
                if kill_at is not None and self.done[-1][2] >= kill_at:
                    process.kill()
                    process.wait()
                    break
            time.sleep(0.5)
        self.seconds = time.monotonic() - began

    def rates(self) -> dict[str, dict[str, float]]:
        """Images per second and per CPU second in the first, middle and last fifth."""
        counts = [count for *_, count in self.done]
        last = max(counts)
        first = min((count for count in counts if count > counts[0]), default=last)
        found = {}
        for name, fifth in (("start", 0), ("middle", 2), ("end", 4)):
            span = [first + (last - first) * (fifth + step) // 5 for step in (0, 1)]
            (t0, c0, n0), (t1, c1, n1) = (
                next(sample for sample in self.done if sample[2] >= count) for count in span
            )
            images = CHUNK_IMAGES * (n1 - n0)
            found[name] = {
                "per_s": round(images / max(t1 - t0, 1e-9), 1),
                "per_core_s": round(images / max(c1 - c0, 1e-9), 1),
            }
        return found


def measure(folder: Path, options: list[str], kill: bool) -> dict[str, Any]:
    out = folder.with_name(folder.name + ".table.parquet")
    parts = out.with_name(out.name + ".parts")
    out.unlink(missing_ok=True)
    shutil.rmtree(parts, ignore_errors=True)
    names = list(walk(folder))
    command = [sys.executable, "-W", "ignore", "-m", "fervt", "predict", str(folder)]
    command += ["--out", str(out), *options]
    kill_at = -(-len(names) // CHUNK_IMAGES) * 2 // 5
    starts = [Start(command, parts, kill_at)] if kill else []
    kept = _count(parts)
    starts.append(Start(command, parts))
    table = pq.read_table(out, columns=["file", "status", "face"]).to_pandas()
    firsts = table[table["face"].isna() | (table["face"] <= 1)]
    return {
        "images": len(names),
        "each_once_in_order": firsts["file"].tolist() == names,
        "faces": int((table["face"] >= 1).sum()),
        "faceless": int((table["face"] == 0).sum()),
        "unreadable": int(table["face"].isna().sum()),
        "kept_when_killed": CHUNK_IMAGES * kept,
        "seconds": [round(start.seconds, 1) for start in starts],
        "images_per_core_s": round(len(names) / sum(start.cpu_s for start in starts), 1),
        "peak_mb": [round(start.peak_mb) for start in starts],
        "rates": [start.rates() for start in starts],
        "load_average": round(os.getloadavg()[0], 1),
    }


def _count(parts: Path) -> int:
    return sum(1 for _ in parts.glob("0*.parquet"))


def _children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _memory_mb(pid: int) -> float:
    """Its share of the memory: what processes share is counted once."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    except OSError:
        return 0.0


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=("faces", "photos"))
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="for the images")
    parser.add_argument("--data", type=Path, help="prepared file, for faces")
    parser.add_argument(
        "--portrait", type=Path, action="append", default=[], help="for photos, besides the example"
    )
    parser.add_argument("--no-kill", action="store_true")
    args, options = parser.parse_known_args()  # the others are for `fervt predict`
    if not args.folder.is_dir():
        if args.kind == "faces":
            make_faces(args.folder, args.data, args.count)
        else:
            make_photos(args.folder, args.count, args.portrait)
    options += ["--whole-image"] if args.kind == "faces" else []
    print(json.dumps(measure(args.folder, options, not args.no_kill), indent=1))


if __name__ == "__main__":
    main()
