"""The valid files that `scripts.hostile` damages, the mutations, and the readers."""

import io
import json
import random
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the tests generate the valid files

_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1)
_WORDS = (
    b"[" * 30_000,
    b'{"a":' * 20_000,
    b"9" * 5_000,
    b"1e999",
    b"-1",
    b"null",
    b"NaN",
    b"true",
    b'"\\ud800"',
    b"\xff\xfe",
    b"[]",
    b"{}",
    b"1e-308",
    b"2013-02-30",
    b"../../etc/passwd",
)


class Inputs:
    """Makes inputs and reads them, in a separate folder.

    Args:
        folder: For files that are read by their path.
        seed: Determines all mutations.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self._goods: dict[str, list[bytes]] = {}

    def good(self, kind: str) -> bytes:
        """A file that can be read."""
        return self._all(kind)[0]

    def make(self, kind: str, number: int) -> bytes:
        """The input with this number; the same for the same seed."""
        draw = random.Random(f"{self._seed} {kind} {number}")
        goods = self._all(kind)
        content = bytearray(draw.choice(goods))
        for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
            content = _spoil(content, draw, goods, kind)
        return bytes(content)

    def try_one(self, kind: str, content: bytes) -> None:
        """Reads it the way a stranger's file is read."""
        getattr(self, f"_try_{kind}")(content)

    def _all(self, kind: str) -> list[bytes]:
        if kind not in self._goods:
            self._goods[kind] = getattr(self, f"_good_{kind}")()
        return self._goods[kind]

    def _file(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path

    def _good_images(self) -> list[bytes]:
        image = Image.fromarray(_picture())
        kinds = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF")
        every = [_saved(image, kind) for kind in kinds]
        exif = Image.Exif()
        exif[0x0112] = 6
        every.append(_saved(image, "JPEG", progressive=True, exif=exif))
        every.append(_saved(image.convert("P"), "PNG", transparency=3))
        every.append(_saved(image.convert("CMYK"), "JPEG"))
        every.append(_saved(Image.fromarray(_picture()[..., 0].astype(np.float32)), "TIFF"))
        every.append(_saved(image, "TIFF", compression="tiff_lzw"))
        return every

    def _try_images(self, content: bytes) -> None:
        from fervt.images import read_photo

        read_photo(content, "x.jpg")

    def _good_zips(self) -> list[bytes]:
        pictures = self._all("images")
        every = []
        for packed in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", packed) as archive:
                for at, folder in enumerate(("happy", "sad/train", "neutral")):
                    archive.writestr(f"{folder}/{at}.jpg", pictures[0])
                archive.writestr("happy/zeros.png", bytes(300_000))
                archive.writestr("notes.txt", "x")
            every.append(file.getvalue())
        return every

    def _try_zips(self, content: bytes) -> None:
        from fervt.data.archive import ImageArchive
        from fervt.errors import ImageError

        archive = ImageArchive(content, "x.zip")
        for member in archive.members:
            try:
                archive.read_photo(member)
            except ImageError:
                continue  # a sentence in the table

    def _good_tables(self) -> list[bytes]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        from fervt.data import prepared

        random_ = np.random.default_rng(0)
        images = random_.integers(0, 255, (24, 48, 48), dtype=np.uint8)
        usage = np.array(["Training", "PublicTest", "PrivateTest"] * 8)
        votes = np.full((24, 10), 1, np.uint8)
        data = prepared.PreparedData.from_rows(
            images, np.arange(24), usage, np.arange(24) % 7, votes, "as drawn", "x"
        )
        path = self._folder / "good.parquet"
        prepared.write_prepared(data, path)
        every = [path.read_bytes()]
        table = pq.read_table(path)
        for packed in ("none", "snappy", "gzip", "brotli"):
            pq.write_table(table, path, compression=packed)
            every.append(path.read_bytes())
        about = {b"fervt.prepared": b"[" * 50_000}
        pq.write_table(table.replace_schema_metadata(about), path)
        every.append(path.read_bytes())
        large = pa.array([bytes(20_000_000)] * 24, pa.binary())
        field = table.schema.field("image")
        pq.write_table(table.set_column(6, field, large), path, compression="zstd")
        every.append(path.read_bytes())
        return every

    def _try_tables(self, content: bytes) -> None:
        from fervt.data.prepared import count_splits, read_prepared

        count_splits(content)
        read_prepared(content, ("PrivateTest",))

    def _good_films(self) -> list[bytes]:
        from film import astronaut_frames, write_film

        every = []
        for name, codec, pixels in (
            ("a.mp4", "libx264", "yuv420p"),
            ("a.webm", "libvpx", "yuv420p"),
            ("a.avi", "mpeg4", "yuv420p"),
            ("a.mkv", "mjpeg", "yuvj420p"),
            ("a.ts", "mpeg2video", "yuv420p"),
        ):
            frames = astronaut_frames(96, 64, 8)
            every.append(write_film(self._folder / name, frames, codec, pixels).read_bytes())
        return every

    def _try_films(self, content: bytes) -> None:
        from fervt.film import Film

        with Film(io.BytesIO(content), "x.mp4") as film:
            for _, _frame in zip(range(60), film, strict=False):
                pass
            _ = film.notes

    def _good_checkpoints(self) -> list[bytes]:
        import tiny
        import torch

        path = tiny.save_tiny(self._folder)
        from fervt.checkpoint import load_checkpoint

        model, info = load_checkpoint(path)
        weights = model.state_dict()
        every = [path.read_bytes()]
        negative = {k: -v if k.endswith("running_var") else v for k, v in weights.items()}
        wide = {k: torch.zeros((), dtype=v.dtype).expand(v.shape) for k, v in weights.items()}
        integer = {k: v.to(torch.int16) for k, v in weights.items()}
        eight = {k: v.to(torch.float8_e4m3fn) for k, v in weights.items()}
        huge = {k: v * 1e6 if v.is_floating_point() else v for k, v in weights.items()}
        nested: object = "x"
        for _ in range(60):
            nested = [nested, nested]
        for content in (weights, negative, wide, integer, eight, huge):
            file = io.BytesIO()
            torch.save({"state_dict": content, "fervt": info.to_json()}, file)
            every.append(file.getvalue())
        for content, about in ((weights, nested), ({"a": nested}, info.to_json())):
            file = io.BytesIO()
            torch.save({"state_dict": content, "fervt": about}, file)
            every.append(file.getvalue())
        return every

    def _try_checkpoints(self, content: bytes) -> None:
        from fervt.checkpoint import load_checkpoint

        suffix = ".pt" if content[:2] == b"PK" or content[:1] == b"\x80" else ".safetensors"
        load_checkpoint(self._file(f"x{suffix}", content))

    def _good_evaluations(self) -> list[bytes]:
        """An evaluation's files concatenated, each preceded by its name."""
        import drawn_evidence
        import synthetic

        folder = synthetic.save_evaluation(self._folder / "alpha" / "one", count=60)
        drawn_evidence.save_five_crop(folder)
        self._files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        return [f"{name}\n".encode() + content for name, content in self._files.items()]

    def _try_evaluations(self, content: bytes) -> None:
        from fervt.evaluation.saved import read_evaluation

        folder = self._folder / "alpha" / "one"
        first, _, rest = content.partition(b"\n")
        name = first.decode(errors="replace")
        changed = name if name in self._files else "metrics.json"
        for each, good in self._files.items():
            (folder / each).write_bytes(rest if each == changed else good)
        saved = read_evaluation(folder)
        for _, rows in saved.ways():
            _ = rows.scores
        saved.embeddings()

    def _good_settings(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((ROOT / "configs").glob("*.toml"))]

    def _try_settings(self, content: bytes) -> None:
        from fervt.cli.train import read_settings

        read_settings(self._file("x.toml", content), {})

    def _good_requests(self) -> list[bytes]:
        """A content type, a line break and a body."""
        import base64
        import gzip

        picture = self._all("images")[0]
        text = base64.b64encode(picture)
        form = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
            + picture
            + b"\r\n--x--\r\n"
        )
        return [
            b"image/jpeg\n" + picture,
            b'application/json\n{"image": "' + text + b'"}',
            b'application/json\n{"images": [{"image": "' + text + b'", "name": "a"}]}',
            b"multipart/form-data; boundary=x\n" + form,
            b"gzip\n" + gzip.compress(picture),
            b"gzip\n" + gzip.compress(bytes(30_000_000)),
        ]

    def _try_requests(self, content: bytes) -> None:
        first, _, body = content.partition(b"\n")
        kind = first.decode("latin-1").replace("\r", "")
        headers = {"Content-Encoding": "gzip"} if kind == "gzip" else {}
        kind = "image/jpeg" if kind == "gzip" else kind
        for path in ("/v1/predict?detect=false", "/v1/predict/batch?detect=false"):
            answer = _client(self._folder).post(path, data=body, content_type=kind, headers=headers)
            if answer.status_code >= 500 or b"Traceback" in answer.data:
                raise AssertionError(f"{path}: {answer.status_code} {answer.data[:300]!r}")
            json.loads(answer.data)


@cache
def _client(folder: Path):
    import tiny

    from fervt.predict import Predictor
    from fervt.service import ServiceConfig, create_app

    (folder / "service").mkdir()
    app = create_app(Predictor(tiny.save_tiny(folder / "service")), ServiceConfig(max_rate=0))
    app.extensions["fervt"].ready.wait(60)
    return app.test_client()


def _picture() -> np.ndarray:
    from fervt.examples import load_example

    return np.ascontiguousarray(load_example("astronaut")[:310:3, 100:410:3])


def _saved(image: Image.Image, kind: str, **settings: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def _spoil(content: bytearray, draw: random.Random, goods: list[bytes], kind: str) -> bytearray:
    at = draw.randrange(len(content) + 1)
    if draw.random() < 0.4:  # where file formats store sizes
        at = min(at, draw.randrange(200))
    if draw.random() < 0.15:
        at = max(0, len(content) - draw.randrange(1, 400))
    if kind in ("settings", "evaluations", "requests") and draw.random() < 0.5:
        return _swap_word(content, draw)
    return draw.choice(_WAYS)(content, at, draw, goods)


def _swap_word(content: bytearray, draw: random.Random) -> bytearray:
    """Replaces a value with something else."""
    starts = [i + 1 for i, c in enumerate(content[:4000]) if c in b":=, "]
    if not starts:
        return content
    at = draw.choice(starts)
    end = next((i for i in range(at, len(content)) if content[i] in b",}]\n"), len(content))
    return content[:at] + draw.choice(_WORDS) + content[end:]


def _flip(c: bytearray, at: int, draw: random.Random, goods: list[bytes]) -> bytearray:
    c[at : at + 1] = bytes([draw.randrange(256)])
    return c


def _number(c: bytearray, at: int, draw: random.Random, goods: list[bytes]) -> bytearray:
    size = draw.choice((1, 2, 4, 8))
    value = draw.choice(_NUMBERS) % 256**size
    c[at : at + size] = value.to_bytes(size, draw.choice(("little", "big")))
    return c


def _cut(c: bytearray, at: int, draw: random.Random, goods: list[bytes]) -> bytearray:
    return c[:at]


def _drop(c: bytearray, at: int, draw: random.Random, goods: list[bytes]) -> bytearray:
    del c[at : at + draw.choice((1, 2, 7, 64, 1000))]
    return c


def _repeat(c: bytearray, at: int, draw: random.Random, goods: list[bytes]) -> bytearray:
    part = c[at : at + draw.choice((1, 8, 100))]
    return c[:at] + part * draw.choice((2, 20, 2000)) + c[at:]


def _noise(c: bytearray, at: int, draw: random.Random, goods: list[bytes]) -> bytearray:
    size = draw.choice((2, 16, 200))
    c[at : at + size] = draw.randbytes(size)
    return c


def _splice(c: bytearray, at: int, draw: random.Random, goods: list[bytes]) -> bytearray:
    return c[:at] + draw.choice(goods)[at:]


def _word(c: bytearray, at: int, draw: random.Random, goods: list[bytes]) -> bytearray:
    return c[:at] + draw.choice(_WORDS) + c[at:]


_Way = Callable[[bytearray, int, random.Random, list[bytes]], bytearray]
_WAYS: tuple[_Way, ...] = (
    *(_flip, _flip, _number, _number, _cut, _drop, _repeat, _noise, _splice, _word),
)
