"""The work of evaluation jobs: the same figures as on the command line, and people's own images."""

import pickle

import numpy as np
import pytest
import tiny
from zips import labeled_zip, png, zip_of

from fervt.data.prepared import write_prepared
from fervt.errors import DataError
from fervt.evaluation.metrics import EvaluatedCheckpoint
from fervt.evaluation.run import evaluate_checkpoint
from fervt.evaluation.saved import SavedEvaluation, read_evaluation
from fervt.evaluation.sources import Evaluated, evaluate_archive, evaluate_prepared
from fervt.examples import load_example
from fervt.files import file_sha256
from fervt.labels import FER2013
from fervt.predict import Predictor


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny.save_tiny(tmp_path_factory.mktemp("checkpoint"), temperature=1.5)


@pytest.fixture(scope="module")
def predictor(checkpoint) -> Predictor:
    return Predictor(checkpoint)


class Told(list):
    def __call__(self, share: float, doing: str) -> None:
        self.append((share, doing))


def evaluate(predictor, content, split=None, find_faces=False, told=None) -> Evaluated:
    return evaluate_archive(told or Told(), predictor, content, "x.zip", split, find_faces)


def test_a_prepared_file_gives_what_the_command_line_writes(predictor, checkpoint, tmp_path):
    data = tiny.tiny_data()
    write_prepared(data, tmp_path / "data.parquet")
    evaluate_checkpoint(checkpoint, data.split("PrivateTest"), tmp_path / "out")
    saved = read_evaluation(tmp_path / "out")
    told = Told()
    content = (tmp_path / "data.parquet").read_bytes()
    for source in (tmp_path / "data.parquet", content):
        found = evaluate_prepared(told, predictor, source, "PrivateTest")
        assert found.evaluation.metrics.standard == saved.metrics.standard
        assert found.evaluation.metrics.tta == saved.metrics.tta
        assert found.evaluation.metrics.checkpoint == EvaluatedCheckpoint(
            "tiny", file_sha256(checkpoint)
        )
        assert found.evaluation.plain.equals(saved.plain)
        assert (found.evaluation.embeddings() == saved.embeddings()).all()
        assert (found.faces is not None) == isinstance(source, bytes)
    assert found.faces.sha256.tolist() == saved.plain["image_sha256"].tolist()
    shares = [share for share, _ in told]
    assert max(shares) == 1
    assert told[-1][1] == "Predicting: 42 of 42"


def test_what_is_no_prepared_file_is_a_sentence(predictor, tmp_path):
    with pytest.raises(DataError, match="Your file is not a prepared file"):
        evaluate_prepared(Told(), predictor, b"hello", "PrivateTest")
    data = tiny.tiny_data()
    write_prepared(data.split("Training"), tmp_path / "data.parquet")
    with pytest.raises(DataError, match=r"'data\.parquet' has no PrivateTest rows"):
        evaluate_prepared(Told(), predictor, tmp_path / "data.parquet", "PrivateTest")


def test_a_zip_gives_what_the_same_faces_give(predictor):
    labels = np.arange(10) % 7
    found = evaluate(predictor, labeled_zip(10))
    evaluation = found.evaluation
    order = np.argsort([f"{FER2013.classes[k]}/{i:03d}" for i, k in enumerate(labels)])
    faces = tiny.draw_faces(labels, 3)[order]
    expected = [reading.probabilities for reading in predictor.classify(faces)]
    np.testing.assert_allclose(evaluation.rows().calibrated, expected, atol=1e-4)
    assert evaluation.plain["label"].tolist() == labels[order].tolist()
    assert (found.faces.images == faces).all()
    assert found.names[0] == "angry/000.png"
    assert found.notes == ("Each image was read whole, as one face.",)
    assert evaluation.split == "x.zip"
    assert evaluation.of_own_images
    assert not evaluation.rows().has_votes


def test_it_travels_between_processes(predictor):
    found = pickle.loads(pickle.dumps(evaluate(pickle.loads(pickle.dumps(predictor)),
                                               labeled_zip(10))))  # fmt: skip
    again = evaluate(predictor, labeled_zip(10))
    assert found.evaluation.rows().scores == again.evaluation.rows().scores
    assert found.evaluation.vocabulary is FER2013


def test_what_is_left_out_is_counted_and_named(predictor):
    face = png(tiny.draw_faces(np.array([2]))[0])
    files = {f"happy/{i}.png": b"no image" for i in range(7)}
    files |= {"fear/a.png": face, "contempt/b.png": face, "c.png": face, "notes.txt": b"x"}
    found = evaluate(predictor, zip_of(files))
    assert len(found.evaluation.plain) == 1
    assert found.notes[1:] == (
        "Left out (in no folder named after an expression): 1, 'c.png'.",
        "Left out (no class of this checkpoint): 1, 'contempt/b.png'.",
        "Left out (unreadable): 7, 'happy/0.png', 'happy/1.png', 'happy/2.png', 'happy/3.png', "
        "'happy/4.png' and 2 more.",
        "Left out: 1 file (1 .txt).",
    )


def test_one_split_and_faces_to_find(predictor):
    photo = png(load_example("astronaut")[..., ::-1])
    plain = png(np.full((60, 80), 200, np.uint8))
    files = {"test/happy/a.png": photo, "test/sad/b.png": plain, "train/sad/c.png": photo}
    found = evaluate(predictor, zip_of(files), "test", True)
    (name,) = found.names.values()
    assert name == "test/happy/a.png"
    assert found.evaluation.split == "x.zip, test"
    assert found.notes == (
        "The largest face was cut out of each image.",
        "Left out (no face found): 1, 'test/sad/b.png'.",
    )
    (expected,) = predictor.predict(load_example("astronaut"))
    np.testing.assert_allclose(
        found.evaluation.rows().calibrated[0], expected.probabilities, atol=1e-4
    )


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"a.png": b"x"}, r"'x\.zip' contains no labeled image"),
        ({"readme.txt": b"x"}, r"'x\.zip' contains no labeled image"),
        ({"happy/a.png": b"x"}, "no image that could be scored"),
        ({"contempt/a.png": b"x"}, "no image that could be scored"),
    ],
)
def test_nothing_to_score_is_a_sentence(predictor, files, sentence):
    with pytest.raises(DataError, match=sentence):
        evaluate(predictor, zip_of(files))


def test_its_files_are_a_saved_evaluation(predictor, tmp_path):
    held = evaluate(predictor, labeled_zip(10)).evaluation
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for name, content in held.as_files().items():
        (folder / name).write_bytes(content)
    saved = read_evaluation(folder)
    assert saved.metrics == held.metrics
    assert saved.rows().scores == held.rows().scores
    assert (saved.embeddings() == held.embeddings()).all()
    assert saved.of_own_images
    assert saved.as_files()["metrics.json"] == held.as_files()["metrics.json"]
    assert isinstance(held, SavedEvaluation)
