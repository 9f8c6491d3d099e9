"""A table in parts: the same rows as one by one, however often the run is killed."""

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tiny
import zips
from PIL import Image

from fervt.__main__ import main
from fervt.errors import CheckpointError, DataError
from fervt.examples import load_example
from fervt.labels import FER2013
from fervt.pipeline import begin, local, plan
from fervt.pipeline.local import run_locally
from fervt.predict import Predictor
from fervt.progress import no_progress
from fervt.table import START

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return tiny.save_tiny(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def photos(tmp_path, monkeypatch) -> Path:
    """Faces of all sorts: two, none, unreadable, cut short; nine images in three chunks."""
    monkeypatch.setattr(plan, "CHUNK_IMAGES", 4)
    monkeypatch.setattr(local, "CHUNK_IMAGES", 4)
    folder = tmp_path / "photos"
    folder.mkdir()
    face = load_example("astronaut")
    two = np.concatenate([face[:, :480], face[:, ::-1]], axis=1)
    Image.fromarray(two).save(folder / "0 two.png")
    Image.new("RGB", (80, 60), "gray").save(folder / "1 plain.png")
    (folder / "2 bad.jpg").write_text("x")
    Image.fromarray(face).save(folder / "3.jpg", quality=95)
    whole = (folder / "3.jpg").read_bytes()
    (folder / "4 cut.jpg").write_bytes(whole[: len(whole) * 3 // 4])
    for number in range(5, 9):
        (folder / f"={number}.jpg").write_bytes(whole)
    (folder / "notes.txt").write_text("x")
    return folder


def faces_folder(folder: Path, count: int) -> Path:
    """Many small images, which are links to a few."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(10):
        picture = zips.png(random.integers(0, 256, (48, 48, 3), dtype=np.uint8))
        (folder / f"{number:05d}.png").write_bytes(picture)
    for number in range(10, count):
        os.link(folder / f"{number % 10:05d}.png", folder / f"{number:05d}.png")
    return folder


def test_rows_are_those_of_one_image_after_another(photos, checkpoint, tmp_path, capsys) -> None:
    out = tmp_path / "new" / "table.parquet"
    asked = ["predict", str(photos), f"--checkpoint={checkpoint}"]
    assert main([*asked, f"--out={out}", "--workers=1"]) == 2
    printed, err = capsys.readouterr()
    assert "8 images. Apparent" in printed or "in 8 images" in printed
    assert "2 bad.jpg' is not an image" in err and "4 cut.jpg' is missing" in err
    assert "Left out: 1 file (1 .txt)." in err
    table = pq.read_table(out)
    assert table.column_names == [*START, *FER2013.classes]
    about = table.schema.metadata
    predictor = Predictor(checkpoint)
    assert about[b"fervt.checkpoint_sha256"].decode() == predictor.sha256
    assert b"apparent expressions" in about[b"fervt.notice"].lower()
    rows = table.to_pylist()
    names = [Path(row["file"]).name for row in rows]
    assert names[:2] == ["0 two.png", "0 two.png"] and len(rows) == 10
    assert sorted(set(names)) == list(dict.fromkeys(names))
    for row in rows:
        if row["face"]:
            image = np.asarray(Image.open(row["file"])) if "cut" not in row["file"] else None
            if image is None:
                continue
            face = predictor.predict(image)[row["face"] - 1]
            assert [row[k] for k in START[3:9]] == [*face.box_xyxy_px, face.angle_deg, face.label]
            given = [row[name] for name in FER2013.classes]
            np.testing.assert_allclose(given, face.probabilities, atol=1e-5)
        else:
            assert row["label"] is None and row["left"] is None and row["happy"] is None
    assert [row["face"] for row in rows if row["face"] != 1] == [2, 0, None]
    assert not (out.parent / "table.parquet.parts").exists()
    text = tmp_path / "table.csv"
    assert main([*asked, f"--out={text}", "--workers=1"]) == 2
    with text.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    assert header == table.column_names and len(lines) == 10
    for line, row in zip(lines, rows, strict=True):
        assert line[2:9] == ["" if row[k] is None else str(row[k]) for k in START[2:9]]
        assert line[9:] == ["" if row[k] is None else f"{row[k]:.6f}" for k in FER2013.classes]


def test_workers_change_nothing(photos, checkpoint, tmp_path) -> None:
    """Their number neither moves a row nor changes how faces share a forward pass."""
    tables, told = [], list[float]()

    def tell(share: float, doing: str) -> None:
        told.append(share)

    for workers in (1, 2):
        out = tmp_path / f"{workers}.parquet"
        predictor = Predictor(checkpoint)
        with begin(out, [photos], predictor, False) as run:
            run_locally(run, predictor, checkpoint, workers, tell)
            run.finish()
        tables.append(pq.read_table(out))
    assert tables[0].equals(tables[1])
    assert told == sorted(told[:4]) + sorted(told[4:])
    assert told[0] == told[4] == 0 and told[3] == told[-1] == 1


def descendants(pid: int) -> list[int]:
    try:
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [own for child in map(int, pids) for own in (child, *descendants(child))]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_a_killed_run_goes_on_without_a_lost_or_doubled_row(checkpoint, tmp_path) -> None:
    folder = faces_folder(tmp_path / "faces", 4000)
    out = tmp_path / "table.parquet"
    parts = tmp_path / "table.parquet.parts"
    command = [sys.executable, "-W", "ignore", "-m", "fervt", "predict", str(folder)]
    command += ["--whole-image", f"--out={out}", "--workers=2", f"--checkpoint={checkpoint}"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    while len(list(parts.glob("0*.parquet"))) < 3 and process.poll() is None:
        time.sleep(0.01)
    workers = descendants(process.pid)
    process.kill()
    process.wait()
    assert not out.exists() and workers
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline, "a worker outlives the killed run"
        time.sleep(0.1)
    # Only now: a worker may finish its part before it notices.
    kept = {path.name: path.stat().st_mtime_ns for path in parts.glob("0*.parquet")}
    assert 3 <= len(kept) < 4000 // plan.CHUNK_IMAGES
    broken = parts / min(kept)
    broken.write_bytes(b"")  # as a machine that loses its power leaves a file
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"{plan.CHUNK_IMAGES * (len(kept) - 1):,} of 4,000 images are done" in done.stderr
    names = pq.read_table(out, columns=["file"])["file"].to_pylist()
    assert names == [str(folder / f"{number:05d}.png") for number in range(4000)]
    assert not parts.exists()


@pytest.mark.slow
def test_a_worker_that_is_killed_is_a_sentence(checkpoint, tmp_path) -> None:
    folder = faces_folder(tmp_path / "faces", 4000)
    command = [sys.executable, "-W", "ignore", "-m", "fervt", "predict", str(folder)]
    command += ["--whole-image", f"--out={tmp_path / 't.csv'}", "--workers=2"]
    command += [f"--checkpoint={checkpoint}"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while not list((tmp_path / "t.csv.parts").glob("0*.parquet")) and process.poll() is None:
        time.sleep(0.01)
    for pid in descendants(process.pid):
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, 9)
            break
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.splitlines()[-1].startswith("fervt: A worker process was killed")


def test_a_worker_that_cannot_start_says_why(photos, checkpoint, tmp_path) -> None:
    predictor, gone = Predictor(checkpoint), tmp_path / "gone.safetensors"
    with (
        begin(tmp_path / "t.csv", [photos], predictor, False, as_csv=True) as run,
        pytest.raises(CheckpointError, match="gone"),
    ):
        run_locally(run, predictor, gone, 2, no_progress)


def test_a_folder_of_parts_belongs_to_one_run(photos, checkpoint, tmp_path) -> None:
    out = tmp_path / "table.parquet"
    predictor = Predictor(checkpoint)
    other = Predictor(tiny.save_tiny(tmp_path / "other.safetensors", seed=1))
    with begin(out, [photos], predictor, False) as run:
        with pytest.raises(DataError, match="Another run is writing to"):
            begin(out, [photos], predictor, False)
        number, chunk = next(run.waiting())
        assert (number, len(chunk)) == (0, 4)
    for paths, asked, whole, sentence in (
        ([tmp_path], predictor, False, "begun with other images:"),
        ([photos], other, True, "begun with another checkpoint and another choice of --whole"),
    ):
        with pytest.raises(DataError, match=sentence):
            begin(out, paths, asked, whole)
    (photos / "later.jpg").write_bytes((photos / "3.jpg").read_bytes())
    with begin(out, [photos], predictor, False) as run:
        assert (run.images, run.parts, run.done) == (9, 3, 0)  # as it was begun
        run_locally(run, predictor, checkpoint, 1, no_progress)
        (run.folder / "00000001.parquet").unlink()
        with pytest.raises(DataError, match=r"00000001.parquet' is missing or damaged"):
            run.finish()
        assert not out.exists()
    (run.folder / "run.json").write_text(json.dumps([1]))
    with pytest.raises(DataError, match="contains no run of fervt"):
        begin(out, [photos], predictor, False)


def test_leftover_parts_of_another_run_are_not_taken_for_done(photos, checkpoint, tmp_path) -> None:
    out, predictor = tmp_path / "t.parquet", Predictor(checkpoint)
    with begin(out, [photos], predictor, True) as run:
        run_locally(run, predictor, checkpoint, 1, no_progress)
    (run.folder / "run.json").unlink()
    with begin(out, [photos], predictor, False) as run:
        assert run.done == 0 and len(list(run.waiting())) == run.parts


@pytest.mark.parametrize("renames", [True, False])
def test_a_kill_while_a_finished_run_is_removed_leaves_no_half(
    photos, checkpoint, tmp_path, monkeypatch, renames
) -> None:
    out, predictor = tmp_path / "t.parquet", Predictor(checkpoint)
    with begin(out, [photos], predictor, False) as run:
        run_locally(run, predictor, checkpoint, 1, no_progress)
        with monkeypatch.context() as patch:
            if renames:
                patch.setattr("shutil.rmtree", lambda *_, **__: None)
            else:
                patch.setattr(Path, "rename", lambda *_: open(tmp_path))  # raises OSError
            run.finish()
    assert not run.folder.exists()
    with begin(out, [photos], predictor, False) as run:
        assert run.done == 0
        assert {path.name for path in tmp_path.iterdir()} == {"photos", out.name, run.folder.name}


def test_a_part_with_damaged_pages_is_made_anew(photos, checkpoint, tmp_path) -> None:
    out, predictor = tmp_path / "t.parquet", Predictor(checkpoint)
    with begin(out, [photos], predictor, False) as run:
        run_locally(run, predictor, checkpoint, 1, no_progress)
        part = run.folder / "00000001.parquet"
        content = part.read_bytes()
        part.write_bytes(content[:4] + bytes(200) + content[204:])  # the footer is at the end
    with begin(out, [photos], predictor, False) as run:
        assert run.done == run.images
        with pytest.raises(DataError, match="run the same command again"):
            run.finish()
    with begin(out, [photos], predictor, False) as run:
        run_locally(run, predictor, checkpoint, 1, no_progress)
        assert run.finish().images == 8
    assert pq.read_table(out).num_rows == 10


@pytest.mark.parametrize("name", ["thesis.txt", "00000000.parquet", "plan.parquet/thesis.txt"])
def test_a_folder_of_someone_else_stays_as_it_is(checkpoint, tmp_path, name) -> None:
    (tmp_path / "none").mkdir()
    file = tmp_path / "t.csv.parts" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(DataError, match=r"belong to no run of fervt|cannot be written"):
        begin(tmp_path / "t.csv", [tmp_path / "none"], Predictor(checkpoint), False, as_csv=True)
    assert file.read_text() == "mine"


def test_what_cannot_begin_leaves_nothing(checkpoint, tmp_path, capsys) -> None:
    (tmp_path / "none").mkdir()
    asked = [f"--checkpoint={checkpoint}"]
    for more, sentence in (
        ([f"--out={tmp_path / 't.parquet'}"], "contains no images"),
        ([f"--out={tmp_path / 't.xlsx'}"], "must end in .parquet or .csv"),
        ([f"--csv={tmp_path / 'none'}"], "is a folder"),
        ([f"--out={checkpoint / 't.csv'}"], "cannot be written"),
        (["--workers=2"], "add --out FILE"),
    ):
        assert main(["predict", str(tmp_path / "none"), *asked, *more]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert sentence in line
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    asked = ["predict", str(tmp_path / "a.png"), *asked, f"--out={tmp_path / 't.csv'}"]
    assert main([*asked, "--workers=0"]) == 2
    assert "--workers must be at least 1" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} <= {"none", "a.png"}
