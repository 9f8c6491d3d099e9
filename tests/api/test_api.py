"""What `import fervt` gives to a script or a notebook."""

import doctest
import importlib
import json
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import tiny
import zips
from PIL import Image

import fervt
from fervt.data.prepared import write_prepared
from fervt.errors import CheckpointError, ConfigError, DataError, FervtError, ImageError
from fervt.examples import load_example
from fervt.explain import explain_face
from fervt.labels import FER2013, NOTICE
from fervt.predict import to_face

ROOT = Path(__file__).parents[2]
FACE_PX = (177, 66, 274, 163)

NOTEBOOK = """
import fervt
model = fervt.load()                      # the flagship; or a shipped name, or a path
faces = model("photo.jpg")                # path, bytes, PIL image or RGB array -> Faces
faces[0].label, faces[0].confidence, faces[0].probabilities["fear"], faces[0].box_xyxy_px
faces.to_pandas(); faces.plot(); faces    # a table, a figure, an HTML card in a notebook
why = faces[0].explain(target="fear")     # Explanation: .gwa, .graph, .occlusion, .grad_cam (7, 7); .plot()
"""  # noqa: E501


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return tiny.save_tiny(tmp_path_factory.mktemp("api"), seed=3, temperature=1.5)


@pytest.fixture(scope="module")
def model(checkpoint) -> fervt.Predictor:
    return fervt.load(checkpoint)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return load_example("astronaut")


@pytest.fixture
def faces(model, astronaut) -> fervt.Faces:
    scene = np.full((520, 1100, 3), 200, np.uint8)
    scene[:512, 500:1012] = astronaut
    scene[:256, :256] = np.asarray(Image.fromarray(astronaut).resize((256, 256)))
    return model(scene)


def test_importing_is_quick_because_it_imports_nothing():
    code = "import sys, fervt; dir(fervt); fervt.__version__; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    modules = found.stdout.split()
    assert not {"torch", "numpy", "pandas", "plotly", "cv2", "PIL", "streamlit"} & set(modules)
    assert [name for name in modules if name.startswith("fervt")] == ["fervt"]


def test_reading_a_picture_and_catching_errors_need_no_torch():
    code = "import sys, fervt; fervt.read_image; fervt.FervtError; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout.split() == ["False"]


def test_every_public_name_is_there_and_no_other():
    for name in fervt.__all__:
        assert getattr(fervt, name) is not None
        assert name in dir(fervt)
    wanted = {"load", "Predictor", "Faces", "Face", "Explanation", "read_image", "evaluate"}
    assert wanted <= set(fervt.__all__)
    with pytest.raises(AttributeError, match="'fervt' has no attribute 'nothing'"):
        _ = fervt.nothing


@pytest.mark.parametrize(
    "name",
    [
        "fervt",
        "fervt.images",
        "fervt.api.model",
        "fervt.api.faces",
        "fervt.api.explanation",
        "fervt.api.evaluation",
    ],
)
def test_the_examples_in_docstrings_give_what_they_say(name):
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0 and found.failed == 0


@pytest.mark.parametrize("name", sorted(set(fervt.__all__) - {"FervtError", "__version__"}))
def test_every_public_thing_has_an_example(name):
    thing = getattr(fervt, name)
    assert ">>> " in thing.__doc__
    methods = vars(thing).items() if isinstance(thing, type) else ()
    for method, function in methods:
        if callable(function) and (not method.startswith("_") or method == "__call__"):
            assert f".{method}(" in thing.__doc__ or ">>> " in function.__doc__, method


def run_in(folder, monkeypatch, astronaut, sources) -> dict:
    monkeypatch.chdir(folder)
    Image.fromarray(astronaut).save("photo.jpg")
    (folder / "faces" / "happy").mkdir(parents=True)
    Image.fromarray(astronaut).save(folder / "faces" / "happy" / "one.png")
    names: dict = {}
    for number, source in enumerate(sources):
        exec(compile(source, f"cell {number}", "exec"), names)
    return names


def test_the_notebook_code_of_the_design_runs_literally(tmp_path, monkeypatch, astronaut):
    names = run_in(tmp_path, monkeypatch, astronaut, [NOTEBOOK])
    assert names["faces"][0].label == "happy"
    why = names["why"]
    for values in (why.gwa, why.graph, why.occlusion, why.grad_cam):
        assert values.shape == (7, 7)


def test_the_code_in_the_documentation_runs(tmp_path, monkeypatch, astronaut, capsys):
    text = (ROOT / "docs" / "python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 5
    run_in(tmp_path, monkeypatch, astronaut, blocks)
    assert (tmp_path / "why" / "explanation.html").is_file()
    assert (tmp_path / "evaluation" / "metrics.json").is_file()
    assert capsys.readouterr().out == "'gone.jpg' is not a file.\n"


def test_the_quick_start_notebook_runs_and_holds_no_outputs(tmp_path, monkeypatch, astronaut):
    notebook = json.loads((ROOT / "docs" / "quickstart.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 8
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
    names = run_in(tmp_path, monkeypatch, astronaut, ["".join(c["source"]) for c in cells])
    assert names["faces"][0].label == "happy"
    assert (tmp_path / "why" / "explanation.html").is_file()


def test_a_picture_may_come_as_anything(model, astronaut, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(astronaut).save(path)
    expected = model(astronaut)[0].probabilities
    for picture in (
        str(path),
        path,
        path.read_bytes(),
        Image.open(path),
        bytearray(path.read_bytes()),
    ):
        (face,) = model(picture)
        assert face.probabilities == expected
        assert np.array_equal(fervt.read_image(picture), astronaut)
    assert model(str(path)).name == model(path).name == "photo.png"
    assert model(path.read_bytes()).name == ""


def test_a_pil_image_is_read_as_its_file_would_be(tmp_path):
    pixels = np.arange(4 * 6 * 4, dtype=np.uint8).reshape(4, 6, 4)
    image = Image.fromarray(pixels, "RGBA")
    exif = image.getexif()
    exif[0x0112] = 6  # turn it by 90 degrees
    image.save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as opened:
        found = fervt.read_image(opened)
    assert found.shape == (6, 4, 3)
    assert np.array_equal(found, fervt.read_image(tmp_path / "turned.png"))


class File:
    """Pretends to be a picture."""


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        ("gone.jpg", r"'gone\.jpg' is not a file\."),
        (Path("/dev/null"), r"'null' is not a file\."),
        ("x" * 5000, r"cannot be read: File name too long\."),
        (b"", r"'The picture' is empty\."),
        (b"no picture", r"'The picture' is not an image that can be read \(AVIF, .*\)\."),
        (None, r"A picture is a path, bytes, a PIL image or an RGB array, not of type NoneType\."),
        (File(), r"not of type File\."),
        ([np.zeros((5, 5, 3), np.uint8)], r"not of type list\."),
        (np.zeros((5, 7), np.uint8), r"uint8 array of shape \(height, width, 3\)"),
        (np.zeros((5, 7, 3)), r"uint8 array of shape \(height, width, 3\)"),
        (Image.new("L", (6000, 5000)), r"6000 x 5000 pixels; images of up to 25 megapixels"),
        (Image.new("RGB", (0, 5)), r"uint8 array of shape"),
    ],
)
def test_what_is_no_picture_is_one_sentence(model, picture, sentence):
    for read in (model, fervt.read_image):
        with pytest.raises(ImageError, match=sentence) as caught:
            read(picture)
        assert "\n" not in str(caught.value)


def test_a_damaged_file_is_one_sentence(model, astronaut, tmp_path):
    content = BytesIO()
    Image.fromarray(astronaut).save(content, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(content.getvalue()[:3000])
    with pytest.raises(ImageError, match=r"^'cut\.jpg' is damaged or cut short"):
        model(tmp_path / "cut.jpg")
    with Image.open(tmp_path / "cut.jpg") as opened:
        with pytest.raises(ImageError, match="is damaged or cut short"):
            model(opened)


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [
        ([(1, 2, 3)], r"A box is four numbers of pixels"),
        ([("a", "b", "c", "d")], r"A box is four numbers of pixels"),
        ([5], r"A box is four numbers of pixels"),
        ([(0, 0, float("nan"), 9)], r"holds a number that is not finite"),
        ([(0, 0, float("inf"), 9)], r"holds a number that is not finite"),
        ([(600, 0, 700, 90)], r"not inside an image of 512x512 pixels"),
        ([(90, 90, 10, 10)], r"not inside an image"),
    ],
)
def test_bad_boxes_are_one_sentence(model, astronaut, boxes, sentence):
    with pytest.raises(ImageError, match=sentence):
        model(astronaut, boxes=boxes)


def test_faces_are_looked_for_given_or_the_whole_picture(model, astronaut):
    assert model(astronaut)[0].box_xyxy_px == FACE_PX
    given = model(astronaut, boxes=[(10.4, 20.6, 90, 110), np.array(FACE_PX)])
    assert [face.box_xyxy_px for face in given] == [(10, 21, 90, 110), FACE_PX]
    assert given[1].probabilities == pytest.approx(model(astronaut)[0].probabilities, abs=1e-5)
    assert model(astronaut, whole_image=True)[0].box_xyxy_px == (0, 0, 512, 512)
    assert len(model(astronaut, boxes=[])) == 0
    with pytest.raises(ConfigError, match="either boxes or whole_image"):
        model(astronaut, boxes=[FACE_PX], whole_image=True)


def test_loading_by_name_by_path_and_nothing_else(checkpoint, model, tmp_path):
    assert fervt.load(str(checkpoint)).info == model.info == fervt.load(checkpoint, "cpu").info
    (tmp_path / "bad.safetensors").write_text("no weights")
    for wrong, sentence in (
        ("nope", "There is no checkpoint 'nope'; shipped are: fervt-"),
        (tmp_path, "There is no checkpoint"),
        (5, "must be a string or a path, not int"),
        (tmp_path / "bad.safetensors", r"'bad\.safetensors' is not a complete safetensors file"),
    ):
        with pytest.raises(CheckpointError, match=sentence):
            fervt.load(wrong)
    with pytest.raises(ConfigError, match="no device 'tpu' on this machine"):
        fervt.load(checkpoint, device="tpu")
    with pytest.raises(ConfigError, match="no engine 'onnx'; known: auto, torch"):
        fervt.load(checkpoint, engine="onnx")


def test_faces_are_a_sequence(faces):
    assert isinstance(faces, Sequence) and len(faces) == 2
    large, small = faces
    assert large.box_xyxy_px[0] > 500 > small.box_xyxy_px[2]
    assert faces[0] is large and faces[-1] is small and small in faces
    assert isinstance(faces[:1], fervt.Faces) and list(faces[:1]) == [large]
    assert faces[1:].image is faces.image
    with pytest.raises(IndexError):
        _ = faces[2]


def test_a_face_says_what_the_predictor_says(model, faces):
    (first, _), (expected, _) = faces, model.predict(faces.image)
    assert isinstance(first.probabilities, Mapping)
    assert tuple(first.probabilities) == FER2013.classes
    assert sum(first.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert list(first.probabilities.values()) == pytest.approx(expected.probabilities.tolist())
    assert first.label == max(first.probabilities, key=first.probabilities.get)
    assert first.confidence == first.probabilities[first.label]
    assert np.array_equal(first.crop, expected.crop)
    assert np.array_equal(first.model_input, expected.model_input)
    with pytest.raises(TypeError):
        first.probabilities["fear"] = 1.0


def test_a_table_and_plain_data(faces, model):
    table = faces.to_pandas()
    start = ["left", "top", "right", "bottom", "label", "confidence"]
    assert list(table.columns) == [*start, *FER2013.classes]
    assert len(table) == 2 and table.loc[0, "label"] == faces[0].label
    assert table.loc[1, "right"] == faces[1].box_xyxy_px[2]
    assert table.loc[1, "fear"] == faces[1].probabilities["fear"]
    plain = json.loads(json.dumps(faces.to_dict()))
    assert (plain["file"], plain["width"], plain["height"]) == ("", 1100, 520)
    assert plain["faces"][1] == faces[1].to_dict()
    none = model(np.full((40, 60, 3), 99, np.uint8))
    assert none.to_pandas().empty and none.to_dict()["faces"] == []


def test_figures(faces, model):
    figure = faces.plot()
    assert isinstance(figure, go.Figure) and len(figure.data) == 2
    left, top, right, bottom = faces[0].box_xyxy_px
    assert set(figure.data[0].x) == {left, right} and set(figure.data[0].y) == {top, bottom}
    assert figure.layout.yaxis.range == (520, 0)
    assert list(faces[0].plot().data[0].x) == pytest.approx(
        [100 * p for p in faces[0].probabilities.values()]
    )
    assert not model(np.full((40, 60, 3), 99, np.uint8)).plot().data


def test_short_texts_hold_no_pixels(faces, model, tmp_path, astronaut):
    assert re.fullmatch(
        r"<fervt\.Faces: 2 in 1100 x 520 px: [a-z]+ \d+%, [a-z]+ \d+%>", repr(faces)
    )
    assert re.fullmatch(r"<fervt\.Face: [a-z]+ \d+% at \(\d+, \d+, \d+, \d+\) px>", repr(faces[0]))
    Image.fromarray(astronaut).save(tmp_path / "a.png")
    assert repr(model(tmp_path / "a.png")).startswith("<fervt.Faces: 1 in 'a.png' (512 x 512 px)")
    assert repr(model) == "<fervt.Predictor tiny: 7 classes of FER2013, on the cpu>"
    many = fervt.Faces([faces[0]] * 9, faces.image)
    assert repr(many).endswith(", ...>") and len(repr(many)) < 200


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def test_the_card_of_faces(faces):
    card = Tags(faces._repr_html_())
    pictures = [attrs["src"] for tag, attrs in card.tags if tag == "img"]
    assert len(pictures) == 3  # the picture and each face
    assert all(source.startswith("data:image/jpeg;base64,") for source in pictures)
    text = " ".join(card.texts)
    assert NOTICE in text and text.count("Disgusted") >= 2 and "2 faces" in text
    assert not {"script", "style", "link"} & {tag for tag, _ in card.tags}
    assert len(faces._repr_html_()) < 400_000
    assert len([t for t, _ in Tags(faces[0]._repr_html_()).tags if t == "img"]) == 1
    many = fervt.Faces([faces[0]] * 11, faces.image)._repr_html_()
    assert "and 3 more" in many


def test_a_card_escapes_whatever_a_file_is_called(model, tmp_path, astronaut):
    path = tmp_path / "<img src=x onerror=alert(1)>&.png"
    Image.fromarray(astronaut).save(path)
    card = Tags(model(path)._repr_html_())
    assert not any("onerror" in attrs for _, attrs in card.tags)
    assert any("<img src=x onerror=alert(1)>&.png: 1 face" in text for text in card.texts)


def test_a_picture_without_a_face_has_a_card_too(model):
    card = Tags(model(np.full((40, 60, 3), 99, np.uint8))._repr_html_())
    assert "no face found" in " ".join(card.texts)


def test_an_explanation_is_what_the_room_of_evidence_finds(model, faces):
    why = faces[0].explain(target="sad", against="fear")
    found = explain_face(model, to_face(faces[0].crop))
    probabilities, hidden = found.trace.probabilities, found.hidden_probabilities
    lead = probabilities[4] - probabilities[2]
    np.testing.assert_allclose(why.occlusion, lead - (hidden[..., 4] - hidden[..., 2]), atol=1e-5)
    np.testing.assert_allclose(why.gwa, found.trace.gwa_weights, atol=1e-5)
    assert why.gwa.mean() == pytest.approx(1, abs=1e-4)
    assert why.graph.mean() == pytest.approx(1, abs=1e-4)
    assert why.grad_cam.shape == (7, 7) and why.grad_cam.min() >= 0
    layers, edges, heads = why.graph_attention.shape
    assert (edges, heads) == (217, 2) and why.edge_index.shape == (2, edges)
    into = np.bincount(why.edge_index[1], weights=why.graph_attention[layers - 1, :, 1])
    np.testing.assert_allclose(into, np.ones(49), atol=1e-4)
    assert (why.target, why.against) == ("sad", "fear")
    assert repr(why) == "<fervt.Explanation: sad, not fear, by gwa, graph, grad_cam, occlusion>"
    assert faces[0].explain().target == faces[0].label


def test_an_explanation_without_the_parts(tmp_path, astronaut):
    from dataclasses import replace

    bare = replace(tiny.CONFIG, use_gwa=False, use_gnn=False)
    model = fervt.load(tiny.save_tiny(tmp_path, config=bare))
    why = model(astronaut)[0].explain()
    assert why.gwa is why.graph is why.graph_attention is why.edge_index is None
    assert len(why.plot().data) == 2
    assert repr(why).endswith("by grad_cam, occlusion>")
    assert why._repr_html_().count("<img") == 2


def test_an_explanation_as_figure_card_and_files(faces, tmp_path):
    why = faces[0].explain("fear")
    figure = why.plot()
    assert [np.asarray(trace.z).shape for trace in figure.data] == [(7, 7)] * 4
    np.testing.assert_array_equal(figure.data[3].z, why.occlusion)
    assert figure.layout.yaxis4.range == (7, 0)
    card = Tags(why._repr_html_())
    assert sum(tag == "img" for tag, _ in card.tags) == 4
    assert "Why Fearful?" in card.texts and NOTICE in card.texts
    paths = why.save(str(tmp_path / "new" / "why"))
    assert all(path.is_file() for path in paths)
    with np.load(tmp_path / "new" / "why" / "arrays.npz") as arrays:
        np.testing.assert_allclose(arrays["evidence_occlusion"], why.occlusion)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file' cannot be written to: .*\.$"):
        why.save(tmp_path / "file")


@pytest.mark.parametrize(
    ("target", "against", "sentence"),
    [
        ("joy", None, "'joy' is no class of FER2013; known: angry"),
        ("happy", "contempt", "'contempt' is no class of FER2013"),
        ("happy", "happy", "'happy' cannot be contrasted with itself"),
        (3, None, "name of a class must be a string, not int"),
        ("", None, "'' is no class"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(faces, target, against, sentence):
    with pytest.raises(ConfigError, match=sentence):
        faces[0].explain(target, against)


def test_threads_share_a_model(model, astronaut):
    expected = model(astronaut)[0].probabilities
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(model(astronaut)[0].probabilities))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(one == pytest.approx(expected, abs=1e-5) for one in found)


def test_a_zip_and_its_folder_are_evaluated_alike(model, tmp_path):
    content = zips.labelled_zip(10)
    (tmp_path / "faces.zip").write_bytes(content)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        archive.extractall(tmp_path / "faces")
    shares: list[float] = []
    packed = fervt.evaluate(
        model, tmp_path / "faces.zip", progress=lambda share, doing: shares.append(share)
    )
    folder = fervt.evaluate(model, str(tmp_path / "faces"))
    assert shares == sorted(shares) and shares[-1] == 1
    pd.testing.assert_frame_equal(packed.to_pandas(), folder.to_pandas())
    table = folder.to_pandas()
    assert len(table) == folder.n == packed.n == 10
    assert folder.accuracy == table["right"].mean() == (table["label"] == table["predicted"]).mean()
    low, high = folder.accuracy_interval_95
    assert 0 <= low <= folder.accuracy <= high <= 1
    assert (table["label"] == table["file"].str.split("/").str[0]).all()
    np.testing.assert_allclose(table[list(FER2013.classes)].sum(axis=1), 1, atol=1e-5)
    assert repr(folder).startswith("<fervt.EvaluationResult: tiny on faces: accuracy ")
    assert "n = 10>" in repr(folder) and "Each image was read whole" in folder.notes[0]


def test_a_prepared_file_is_evaluated_and_saved(model, tmp_path):
    data = tiny.tiny_data()
    write_prepared(data, tmp_path / "data.parquet")
    result = fervt.evaluate(model, tmp_path / "data.parquet")
    assert (result.split, result.n) == ("PrivateTest", 42)
    assert fervt.evaluate(model, tmp_path / "data.parquet", split="Training").n == 84
    assert set(result.to_pandas()["file"]) == {""}
    paths = result.save(tmp_path / "new")
    assert {path.name for path in paths} >= {"predictions.parquet", "metrics.json"}
    assert json.loads((tmp_path / "new" / "metrics.json").read_text())["standard"]["n"] == 42


def test_what_cannot_be_evaluated_is_one_sentence(model, tmp_path):
    write_prepared(tiny.tiny_data().split("Training"), tmp_path / "data.parquet")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no data")
    (tmp_path / "faces.zip").write_bytes(zips.labelled_zip(3))
    data = tmp_path / "data.parquet"
    for arguments, options, sentence in (
        (("flagship", data), {}, r"must come from fervt\.load\(\), not be a str"),
        ((model, None), {}, "source must be a path, not NoneType"),
        ((model, tmp_path / "gone"), {}, "gone"),
        ((model, tmp_path / "text.txt"), {}, "is no prepared file"),
        ((model, tmp_path / "empty"), {}, "'empty' holds no labelled image"),
        ((model, data), {}, "has no PrivateTest rows; it has Training"),
        ((model, data), {"split": "test"}, "has no test rows"),
        ((model, data), {"split": "Training", "find_faces": True}, "find_faces is for pictures"),
        ((model, tmp_path / "faces.zip"), {"split": "PrivateTest"}, "A split of pictures is"),
        ((model, tmp_path / "faces.zip"), {"find_faces": True}, "no image that could be scored"),
    ):
        with pytest.raises(FervtError, match=sentence) as caught:
            fervt.evaluate(*arguments, **options)
        assert "\n" not in str(caught.value)
