"""What people really bring, at the doors where they bring it: photos, archives and films.

The files of `shared/cases` beside the checkout, where they are; each kind has its own test with
files that are made for it, in the folder of the room that reads it.
"""

import csv
import io
import json

import pytest

from fervt.__main__ import main
from fervt.data.archive import ImageArchive
from fervt.resources import ROOT

CASES = ROOT.parent / "shared" / "cases"
pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the cases do not lie beside the checkout"
)

HAPPY = [
    "tilted-20.jpg",
    "tilted-30.jpg",
    "tilted-45.jpg",
    "tilted-90.jpg",
    "dark.jpg",
    "gray-12-in-16-bit.png",
    "iphone.heic",
    "photo.jfif",
    "no-end-marker.jpg",
    "cut-at-60-percent.jpg",
    "phone-48-megapixels.jpg",
]


def predict(capsys, *arguments: str) -> tuple[int, list[dict], str]:
    code = main(["predict", "--json", *arguments])
    out, err = capsys.readouterr()
    return code, json.loads(out or "[]"), err


@pytest.mark.parametrize("name", HAPPY)
def test_one_happy_face(name, capsys):
    code, (answer,), err = predict(capsys, str(CASES / "images" / name))
    assert code == 0
    assert [face["label"] for face in answer["faces"]] == ["happy"]
    tilted = "tilted" in name and "-20" not in name
    assert (abs(answer["faces"][0]["angle_deg"]) > 15) >= tilted
    assert ("is missing" in err) == ("cut" in name) == bool(answer["note"])


def test_four_faces_in_a_panorama(capsys):
    _, (answer,), _ = predict(capsys, str(CASES / "images" / "panorama-4-people.jpg"))
    assert [face["label"] for face in answer["faces"]] == ["happy"] * 4


def test_a_jpeg_of_2000_scans_is_refused(capsys):
    code, answers, err = predict(capsys, str(CASES / "images" / "2000-scans.jpg"))
    assert code == 2 and not answers and "scans" in err


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("utf8-without-flag.zip", ["Fröhlich/Jörg.jpg"]),
        ("gbk.zip", ["照片/微笑.jpg"]),
        ("zip64-two-photos.zip", ["a.jpg", "b.jpg"]),
        ("mixed.zip", ["IMG_1.HEIC", "a.jpg", "b.jfif"]),
    ],
)
def test_archives(name, members):
    archive = ImageArchive((CASES / "archives" / name).read_bytes(), name)
    assert [member.name for member in archive.members] == members
    for member in archive.members:
        assert archive.read(member).shape[2] == 3
    assert archive.left_out == ("Left out: 2 files (1 .zip, 1 .txt)." if "mixed" in name else "")


def test_an_archive_bomb_is_refused(capsys):
    path = CASES / "archives" / "bz2-2000MB-claims-1MB.zip"
    code, answers, err = predict(capsys, str(path))
    assert code == 2 and not answers and "unsupported compression" in err


def test_a_data_set_from_huggingface(tmp_path):
    source, out = CASES / "tables" / "huggingface-struct-image.parquet", tmp_path / "faces.parquet"
    assert main(["prepare", str(source), "--out", str(out)]) == 0
    assert out.is_file()


@pytest.mark.parametrize(
    ("name", "frames", "faces"),
    [
        ("base.mp4", 30, 1),
        ("mirrored-by-matrix.mp4", 30, 1),
        ("pixels-twice-as-wide.mp4", 30, 1),
        ("poster-first.mkv", 30, 1),
        ("two-clips-joined.ts", 30, 1),
        ("cut-at-60-percent.mp4", 1, 1),
        ("eight-small-faces-1080p.mp4", 10, 8),
    ],
)
def test_films(name, frames, faces, tmp_path, capsys):
    table = tmp_path / "table.csv"
    assert main(["video", str(CASES / "films" / name), "--csv", str(table)]) == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert len(rows) == frames * faces
    labels = [row["label"] for row in rows]
    if name != "two-clips-joined.ts":  # whose faces are stretched in the file itself
        assert set(labels) == {"happy"}
    times = sorted({float(row["time_s"]) for row in rows})
    assert len(times) == frames
    assert ("could be read" in capsys.readouterr().out) == ("cut" in name)
