"""The same table from a cluster of two machines, which are processes here."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tiny
import zips
from PIL import Image

from fervt.__main__ import main
from fervt.examples import load_example
from fervt.pipeline import plan

pytestmark = [
    pytest.mark.slow,
    # Ray's own, on the way through its own modules.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    memory = {"object_store_memory": 100_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **memory})
    cluster.add_node(num_cpus=1, **memory)
    try:
        yield cluster.address
    finally:
        cluster.shutdown()


@pytest.fixture
def photos(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(plan, "CHUNK_IMAGES", 4)
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(load_example("astronaut")).save(folder / "0.jpg")
    (folder / "1.jpg").write_text("x")
    random = np.random.default_rng(0)
    for number in range(2, 30):
        picture = zips.png(random.integers(0, 256, (50, 40, 3), dtype=np.uint8))
        (folder / f"{number:02d}.png").write_bytes(picture)
    return folder


def test_two_machines_give_the_same_table(address, photos, tmp_path, capsys) -> None:
    checkpoint = tiny.save_tiny(tmp_path)
    asked = ["predict", str(photos), f"--checkpoint={checkpoint}"]
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    assert main([*asked, f"--out={here}", "--workers=1"]) == 2
    assert main([*asked, f"--out={there}", f"--ray={address}"]) == 2
    assert pq.read_table(here).equals(pq.read_table(there))


def test_an_interrupted_run_may_move_to_the_cluster(address, photos, tmp_path) -> None:
    from fervt.pipeline import begin
    from fervt.pipeline.cluster import run_on_ray
    from fervt.pipeline.images import answer_chunk
    from fervt.pipeline.run import write_part
    from fervt.predict import Predictor

    checkpoint = tiny.save_tiny(tmp_path)
    predictor = Predictor(checkpoint)
    out = tmp_path / "table.parquet"
    with begin(out, [photos], predictor, True) as run:
        number, chunk = next(run.waiting())
        rows = answer_chunk(predictor, chunk, True)
        write_part(run.folder, number, len(chunk), rows, run.classes)
    told = []
    with begin(out, [photos], predictor, True) as run:
        assert (run.done, run.images) == (4, 30)
        run_on_ray(run, checkpoint, "auto", address, lambda share, _: told.append(share))
        run.finish()
    assert told[0] == pytest.approx(4 / 30) and told[-1] == 1
    files = pq.read_table(out)["file"].to_pylist()
    assert files == sorted(map(str, photos.iterdir()))


def test_images_that_a_machine_cannot_see_are_a_sentence(address, photos, tmp_path, capsys) -> None:
    checkpoint = tiny.save_tiny(tmp_path)
    listed = tmp_path / "list.txt"
    listed.write_text("gone/a.png\ngone/b.png\n")
    out = tmp_path / "table.csv"
    asked = ["predict", str(listed), f"--checkpoint={checkpoint}", f"--out={out}"]
    assert main([*asked, f"--ray={address}"]) == 2
    err = capsys.readouterr().err
    assert "gone/a.png' is not on" in err and "Traceback" not in err
    assert not out.exists()


def test_a_cluster_that_is_not_there_is_a_sentence(photos, tmp_path, capsys) -> None:
    pytest.importorskip("ray")
    checkpoint = tiny.save_tiny(tmp_path)
    asked = ["predict", str(photos), f"--checkpoint={checkpoint}", f"--out={tmp_path / 't.csv'}"]
    assert main([*asked, "--ray=127.0.0.1:1"]) == 2
    assert "There is no Ray cluster at '127.0.0.1:1'." in capsys.readouterr().err
