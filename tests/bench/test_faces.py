"""The table of what detectors find says what was found."""

import json

import pytest
import tiny
from PIL import Image

from fervt.__main__ import main
from fervt.bench.faces import bench_faces
from fervt.errors import DataError
from fervt.examples import load_example
from fervt.faces.libfacedetection import LibfacedetectionSearch
from fervt.predict import Predictor


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(load_example("astronaut")).save(folder / "a.png")
    Image.new("RGB", (300, 200), "gray").save(folder / "nobody.png")
    (folder / "notes.txt").write_text("no photo")
    return folder


def test_the_cascade_misses_what_it_finds_on_its_second_tries(photos, tmp_path):
    count, reaches = bench_faces(photos, Predictor(tiny.save_tiny(tmp_path)))
    assert count == 1
    once, again, *best = reaches
    assert list(once.found) == ["0°", "10°", "20°", "30°", "45°", "x0.12"]
    assert once.found["0°"] == 1 and once.found["45°"] == once.found["x0.12"] == 0
    assert all(again.found.values())
    assert len(best) == LibfacedetectionSearch.is_available()
    assert all(all(reach.found.values()) for reach in best)
    assert all(ms > 0 for reach in reaches for ms in reach.search_ms.values())


def test_a_folder_without_a_face_is_a_sentence(tmp_path):
    with pytest.raises(DataError, match="contains no photo with exactly one face"):
        bench_faces(tmp_path, Predictor(tiny.save_tiny(tmp_path)))


def test_the_command_prints_the_table(photos, capsys):
    assert main(["bench", "faces", str(photos)]) == 0
    head, columns, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("1 photos with one face each") and "45°" in columns
    assert rows[0].startswith("Haar cascade, one try")
    assert main(["bench", "faces"]) == 2
    assert "Give a folder of photos" in capsys.readouterr().err


def test_the_command_prints_json(photos, capsys):
    assert main(["bench", "faces", str(photos), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["photos"] == 1
