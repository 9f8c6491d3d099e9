"""The Predict page as people misuse it; `e2e/test_predict.py` looks at it in a browser."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
import tiny
import torch
from PIL import Image
from skimage import data
from zips import zip_of

from fervt.checkpoint import CheckpointInfo, save_checkpoint, shipped_checkpoints
from fervt.data.prepared import PreparedData, write_prepared
from fervt.data.transforms import Preprocess
from fervt.evaluation.certainty import UNMEASURED, say_prediction, unsure_below
from fervt.files import file_sha256
from fervt.labels import FER2013, NOTICE, expression
from fervt.model import FERVTGNN
from fervt.predict import Predictor
from fervt.ui.jobs import server_jobs
from fervt.ui.text import as_text


def encode(image: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


ASTRONAUT = encode(data.astronaut())
TWO_FACES = encode(np.concatenate([data.astronaut()[:, :480], data.astronaut()[:, ::-1]], axis=1))
COFFEE = encode(data.coffee())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def upload(app, *files: tuple[str, bytes]):
    uploader = next(u for u in app.file_uploader if u.label == "Photos with faces")
    for name, content in files:
        uploader.upload(name, content)
    app.run()
    assert not app.exception
    return app


def upload_checkpoint(app, name: str, content: bytes):
    app.sidebar.file_uploader[0].upload(name, content)
    app.run()
    assert not app.exception
    return app


def says(app) -> str:
    """What the page says of the face, in words."""
    return app.header[0].value


def photo(app) -> dict:
    """What the photo's component shows."""
    (found,) = [c for c in app.get("bidi_component") if c.proto.component_name == "fervt_photo"]
    return json.loads(found.proto.json)


def image_captions(app) -> list[str]:
    return [image.proto.imgs[0].caption for image in app.get("image")]


def parameters_of_links(app) -> set[str]:
    return {link.proto.query_string for link in app.sidebar.get("page_link")}


def own_images(app) -> list[str]:
    return [b.label for b in app.button if len(b.key or "") == len("press_") + 64]


def leading(checkpoint, image=None) -> str:
    """What a checkpoint without a saved evaluation says of an image's first face."""
    face = Predictor(checkpoint).predict(data.astronaut() if image is None else image)[0]
    return say_prediction(face.probabilities, face.classes)


def test_without_an_image_an_example_is_read_and_the_others_are_offered(open_page):
    app = open_page("predict")
    assert photo(app)["name"] == "Group" and len(photo(app)["faces"]) == 2
    assert len([b for b in app.button if (b.key or "").startswith("press_example_")]) >= 6
    app.button(key="press_example_mirrored").click().run()
    assert app.query_params["image"] == "mirrored"
    assert photo(app)["name"] == "Mirrored"


def test_a_deep_link_shows_its_checkpoints_answer(open_page, checkpoints):
    answers = {}
    for name, path in checkpoints.items():
        app = open_page("predict", image="astronaut", checkpoint=name)
        assert app.sidebar.selectbox[0].value == name
        assert says(app) == leading(path)
        answers[name] = app.header[0].value
    assert answers["alpha"] != answers["beta"]


def test_crop_and_model_input_stand_side_by_side_with_the_notice(open_page):
    app = open_page("predict", image="astronaut")
    captions = [caption for caption in image_captions(app) if caption]
    assert captions == ["As it was cut out", "28 × 28 px, what the model saw"]
    assert any(NOTICE in caption.value for caption in app.caption)
    assert [b.label for b in app.get("download_button")] == ["CSV", "JSON"]


def test_choosing_a_checkpoint_names_it_in_the_address_and_in_every_link(open_page, checkpoints):
    app = open_page("predict", image="astronaut")
    app.sidebar.selectbox[0].select("beta").run()
    assert app.query_params["checkpoint"] == "beta"
    assert says(app) == leading(checkpoints["beta"])
    assert parameters_of_links(app) == {"checkpoint=beta&image=astronaut"}


def test_bad_files_get_a_sentence_each_and_good_ones_an_answer(open_page):
    app = upload(
        open_page("predict"),
        ("notes.png", b"just a text"),
        ("cut.jpg", encode(data.astronaut(), "JPEG")[:900]),
        ("empty.png", b""),
        ("../x.png", ASTRONAUT),
    )
    sentences = [error.value for error in app.error]
    assert len(sentences) == 3
    for name, sentence in zip(("notes.png", "cut.jpg", "empty.png"), sentences, strict=True):
        assert f"'{name}'" in sentence
    assert app.query_params["image"] == sha256(ASTRONAUT)
    assert photo(app)["name"] == "x.png"


def test_what_is_missing_of_a_photo_is_said_beside_its_answer(open_page):
    whole = encode(data.astronaut(), "JPEG")
    app = upload(open_page("predict"), ("cut.jpg", whole[: len(whole) // 2]))
    assert any("% of 'cut.jpg' is missing" in w.value for w in app.warning)
    assert app.header and not app.error


def test_only_bad_files_leave_the_page_usable(open_page):
    app = upload(open_page("predict"), ("huge.png", b"\x89PNG\r\n"))
    assert len(app.error) == 1 and "image" not in app.query_params
    app = upload(app, ("face.png", ASTRONAUT))
    assert not app.error and app.header


def test_several_images_are_answered_and_chosen_from(open_page):
    app = upload(open_page("predict"), ("a.png", ASTRONAUT), ("c.png", COFFEE))
    assert len(own_images(app)) == 2
    assert own_images(app)[1] == "No face found"
    assert app.query_params["image"] == sha256(ASTRONAUT)
    app.button(key=f"press_{sha256(COFFEE)}").click().run()
    assert app.query_params["image"] == sha256(COFFEE)


def test_without_a_face_the_whole_image_is_offered(open_page, checkpoints):
    app = upload(open_page("predict"), ("c.png", COFFEE))
    assert "No face" in app.info[0].value and not app.header
    next(b for b in app.button if "whole image" in b.label).click().run()
    assert app.query_params["whole"] == "1"
    whole = Predictor(checkpoints["alpha"]).predict_whole(data.coffee())[0]
    assert says(app) == say_prediction(whole.probabilities, whole.classes)
    app.toggle(key="whole_choice").set_value(False).run()
    assert "No face" in app.info[0].value


def test_another_face_is_chosen_and_a_new_image_begins_with_its_first(open_page):
    app = upload(open_page("predict"), ("two.png", TWO_FACES), ("one.png", ASTRONAUT))
    assert [face["chosen"] for face in photo(app)["faces"]] == [True, False]
    app.button(key="press_face_2").click().run()
    assert app.query_params["face"] == "2"
    assert [face["chosen"] for face in photo(app)["faces"]] == [False, True]
    app.button(key=f"press_{sha256(ASTRONAUT)}").click().run()
    assert app.query_params["face"] == "1"


def test_each_face_of_a_photo_has_a_box_with_its_answer(open_page, checkpoints):
    app = upload(open_page("predict"), ("two.png", TWO_FACES))
    found = Predictor(checkpoints["alpha"]).predict(np.array(Image.open(BytesIO(TWO_FACES))))
    width = 480 + 512
    for number, (shown, face) in enumerate(zip(photo(app)["faces"], found, strict=True), 1):
        said = say_prediction(face.probabilities, face.classes)
        assert shown["about"] == f"Face {number}: {said}"
        left, _, right, _ = face.box_xyxy_px
        assert shown["left"] == pytest.approx(100 * left / width)
        assert shown["width"] == pytest.approx(100 * (right - left) / width)


def test_every_checkpoint_reads_the_same_face_and_one_click_takes_it(open_page, checkpoints):
    app = open_page("predict", image="astronaut")
    said = [text.value for text in app.markdown]
    for path in checkpoints.values():
        assert f"**{leading(path)}**" in said
    assert app.button(key="use_alpha").disabled and app.button(key="use_alpha").label == "In use"
    app.button(key="use_beta").click().run()
    assert app.query_params["checkpoint"] == "beta" and says(app) == leading(checkpoints["beta"])


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A data file with faces of all expressions but the last."""
    labels = np.arange(30) % 6
    found = PreparedData.from_rows(
        tiny.draw_faces(labels, 1),
        np.arange(30) + 32298,
        np.repeat("PrivateTest", 30),
        labels,
        np.zeros((30, 10), np.uint8),
        "as drawn",
        "drawn",
    )
    write_prepared(found, tmp_path / "faces.parquet")
    monkeypatch.setenv("FERVT_DATA", str(tmp_path / "faces.parquet"))
    return found


def test_a_test_face_of_each_expression_is_one_click_away(open_page, prepared):
    app = open_page("predict")
    rows = [b for b in app.button if (b.key or "").startswith("press_test_")]
    assert [b.label for b in rows] == [expression(name).name for name in FER2013.classes[:6]]
    app.button(key="press_test_sad").click().run()
    assert not app.exception and app.query_params["whole"] == "1"
    (picture,) = app.session_state["own_pictures"].values()
    np.testing.assert_array_equal(picture.rgb[..., 0], prepared.images[4])


def test_without_a_data_file_no_test_faces_are_offered(open_page, monkeypatch):
    monkeypatch.delenv("FERVT_DATA", raising=False)
    app = open_page("predict")
    assert not [b for b in app.button if (b.key or "").startswith("press_test_")]


def test_why_opens_the_explanation_of_the_face_that_is_looked_at(open_page, monkeypatch):
    opened = []
    monkeypatch.setattr(
        "streamlit.switch_page", lambda path, query_params: opened.append((path, query_params))
    )
    app = open_page("predict", image="group", face="2")
    app.button(key="why").click().run()
    assert opened == [("pages/explain.py", {"image": "group", "face": "2"})]


@pytest.mark.parametrize("face", ["0", "-1", "99", "x", "²", "", "9" * 5000])
def test_a_link_to_a_face_that_is_not_there_shows_the_first(open_page, face):
    assert open_page("predict", image="astronaut", face=face).header


def test_forgetting_leaves_nothing_of_the_images_in_the_session(open_page):
    app = upload(open_page("predict"), ("a.png", ASTRONAUT), ("c.png", COFFEE))
    next(b for b in app.button if b.label == "Forget my images").click().run()
    assert "image" not in app.query_params and not own_images(app)
    assert not app.session_state["own_pictures"]
    assert "computed_from_pictures" not in app.session_state
    assert not any(u.value for u in app.file_uploader), "the uploader lets go of the files too"


def test_what_was_chosen_in_an_image_goes_with_it(open_page):
    app = upload(open_page("predict"), ("a.png", ASTRONAUT))
    app.query_params["whole"] = "1"
    app.query_params["face"] = "2"
    next(b for b in app.button if b.label == "Forget my images").click().run()
    assert not {"image", "whole", "face"} & set(app.query_params)
    app = open_page("explain", image="a" * 64, whole="1")
    assert "whole" not in app.query_params and app.header[0].value


def test_of_too_many_images_the_last_are_kept_and_one_is_shown(open_page, monkeypatch):
    monkeypatch.setattr("fervt.ui.images._MAX_OWN", 1)
    app = upload(open_page("predict"), ("a.png", ASTRONAUT), ("c.png", COFFEE))
    assert app.query_params["image"] == sha256(COFFEE)
    assert ["Only the last 1 photos" in error.value for error in app.error] == [True]
    assert not app.warning


def test_an_image_that_comes_again_is_the_newest(open_page, monkeypatch):
    monkeypatch.setattr("fervt.ui.images._MAX_OWN", 2)
    app = upload(open_page("predict"), ("a.png", ASTRONAUT), ("c.png", COFFEE))
    app = upload(app, ("a.png", ASTRONAUT))
    assert list(app.session_state["own_pictures"]) == [sha256(COFFEE), sha256(ASTRONAUT)]


def test_words_of_an_address_stay_words(open_page):
    app = open_page("predict", image="[**x**](https:evil.example)", checkpoint="![y](www.e.org)")
    said = "".join(warning.value for warning in app.warning)
    assert "\\[\\*\\*x\\*\\*\\](https\\:\u2060evil.example)" in said
    assert "\\!\\[y\\](www\u2060.e.org)" in said


def test_a_link_to_somebody_elses_image_says_whose_it_is(open_page):
    app = open_page("predict", image="a" * 64)
    assert "only in the session of the person who uploaded it" in app.warning[0].value
    app = upload(app, ("mine.png", ASTRONAUT))
    assert not app.warning and app.header


@pytest.mark.parametrize("image", ["nobody", "../../etc/passwd", "<b>"])
def test_a_link_to_an_unknown_example_says_so(open_page, image):
    app = open_page("predict", image=image)
    said = f"The link names the image '{image}', which isn't here; showing 'group'."
    assert app.warning[0].value == as_text(said)
    assert app.button(key="press_example_astronaut")


def test_a_link_to_an_unknown_checkpoint_says_so_and_goes_on(open_page, checkpoints):
    app = open_page("predict", image="astronaut", checkpoint="../alpha")
    said = "The link names the checkpoint '../alpha', which isn't here; showing 'alpha'."
    assert app.warning[0].value == as_text(said)
    assert says(app) == leading(checkpoints["alpha"])
    app = open_page("predict", image="astronaut", checkpoint="b" * 64)
    assert "only in the session of the person who uploaded it" in app.warning[0].value
    assert app.header


def test_ones_own_checkpoint_answers_and_is_named_by_its_hash(open_page, checkpoints):
    content = checkpoints["beta"].read_bytes()
    app = upload_checkpoint(open_page("predict", image="astronaut"), "mine.safetensors", content)
    assert app.query_params["checkpoint"] == sha256(content)
    assert "mine (yours)" in app.sidebar.selectbox[0].options
    read = app.sidebar.caption[0].value
    words = "**mine** was read: FERVT-GNN of width 16 with GWA and graph, 7 classes (FER2013)"
    assert words in read
    assert read.endswith("It is the same file as beta.")
    assert says(app) == leading(checkpoints["beta"])
    app.sidebar.selectbox[0].select("alpha").run()
    assert app.query_params["checkpoint"] == "alpha"
    assert not any("was read" in caption.value for caption in app.sidebar.caption)


def test_ones_own_evaluation_says_below_what_an_answer_is_unsure(
    open_page, checkpoints, finish_job, tmp_path, monkeypatch
):
    write_prepared(tiny.tiny_data(), tmp_path / "data.parquet")
    monkeypatch.setenv("FERVT_DATA", str(tmp_path / "data.parquet"))
    content = tiny.save_tiny(tmp_path, seed=7).read_bytes()

    def evaluated(app, split):
        app.switch_page("pages/evaluation.py")
        app.query_params.update({"source": "data", "data": "prepared", "split": split})
        app.run()
        next(b for b in app.button if b.label.startswith("Evaluate mine")).click().run()
        finish_job(app)
        assert any(text.value.endswith(f"on {split}") for text in app.text)
        app.switch_page("pages/predict.py")
        app.query_params["image"] = "astronaut"
        app.run()
        assert not app.exception
        return app.header[0].help

    app = upload_checkpoint(open_page("predict", image="astronaut"), "mine.safetensors", content)
    assert "The threshold was not measured" in app.header[0].help
    assert "The threshold was not measured" in evaluated(app, "PrivateTest"), "chosen elsewhere"
    app.switch_page("pages/evaluation.py").run()
    next(b for b in app.button if b.label == "Evaluate other data").click().run()
    public = tiny.tiny_data().split("PublicTest")
    sure = Predictor(tiny.save_tiny(tmp_path, seed=7)).classify(public.images)
    confidence = np.array([each.probabilities.max() for each in sure])
    right = [each.probabilities.argmax() for each in sure] == public.label_fer2013
    threshold = unsure_below(confidence, right)
    assert threshold not in (0, UNMEASURED)
    said = f"Answers below {threshold:.0%} are called unsure: on PublicTest faces"
    assert said in evaluated(app, "PublicTest")


def test_ones_own_checkpoint_is_told_from_a_shipped_one_of_the_same_name(open_page, tmp_path):
    content = tiny.save_tiny(tmp_path, seed=7, config=replace(tiny.CONFIG, use_gnn=False))
    app = open_page("predict", image="astronaut")
    upload_checkpoint(app, "alpha.safetensors", content.read_bytes())
    assert "alpha (yours)" in app.sidebar.selectbox[0].options
    assert "**alpha (yours)** was read: FERVT-GNN of width 16 with GWA without graph" in (
        app.sidebar.caption[0].value
    )
    assert not app.button(key="use_alpha").disabled, "another checkpoint is in use"
    app.query_params["way"] = "many"
    app.run()
    upload_many = next(u for u in app.file_uploader if u.label.startswith("A zip of images"))
    upload_many.upload("a.png", ASTRONAUT)
    app.run()
    assert any(b.label == "Predict with alpha (yours)" for b in app.button)


def test_two_own_checkpoints_with_one_name_can_be_told_apart(open_page, tmp_path):
    files = [tiny.save_tiny(tmp_path / f"{seed}.safetensors", seed) for seed in (7, 8)]
    app = open_page("predict", image="astronaut")
    for file in files:
        upload_checkpoint(app, "best.safetensors", file.read_bytes())
    first, second = (file_sha256(file) for file in files)
    picker = app.sidebar.selectbox[0]
    assert {f"best (yours), {digest[:6]}" for digest in (first, second)} <= set(picker.options)
    picker.set_value(first).run()
    assert app.query_params["checkpoint"] == first
    next(t for t in app.toggle).set_value(True).run()
    assert app.query_params["checkpoint"] == first, "another choice leaves it alone"


def test_ones_own_checkpoint_keeps_its_files_name(open_page, monkeypatch):
    shipped = shipped_checkpoints()
    for module in ("checkpoint", "ui.checkpoints"):
        monkeypatch.setattr(f"fervt.{module}.shipped_checkpoints", lambda: shipped)
    app = open_page("predict", way="many")
    upload_checkpoint(app, "run 7.safetensors", shipped["ablation"].read_bytes())
    assert "run 7 (yours)" in app.sidebar.selectbox[0].options
    assert app.sidebar.caption[0].value.endswith("It is the same file as ablation.")


def test_a_checkpoint_may_have_a_long_name(open_page, checkpoints):
    name = f"{'😀' * 64}.safetensors"
    app = upload_checkpoint(open_page("predict"), name, checkpoints["beta"].read_bytes())
    assert not app.error and "checkpoint" in app.query_params


class Malice:
    def __reduce__(self):
        return exec, ("raise SystemExit('it ran')",)


def other_class_count(path) -> bytes:
    info = CheckpointInfo(tiny.CONFIG, Preprocess(28, 0.5, 0.25))  # seven classes
    save_checkpoint(path, FERVTGNN(replace(tiny.CONFIG, vocabulary="ferplus")), info)
    return path.read_bytes()


def malicious_pickle(path) -> bytes:
    torch.save({"state_dict": Malice(), "fervt": "{}"}, path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["truncated", "other class count", "malicious", "no checkpoint"])
def test_a_bad_checkpoint_gets_a_sentence_and_changes_nothing(
    open_page, checkpoints, tmp_path, kind
):
    name, content = {
        "truncated": lambda: ("bad.safetensors", checkpoints["beta"].read_bytes()[:5000]),
        "other class count": lambda: ("bad.safetensors", other_class_count(tmp_path / "o")),
        "malicious": lambda: ("bad.pt", malicious_pickle(tmp_path / "m")),
        "no checkpoint": lambda: ("bad.pth", b"hello"),
    }[kind]()
    app = open_page("predict", image="astronaut")
    before = app.header[0].value
    app = upload_checkpoint(app, name, content)
    assert len(app.error) == 1 and f"'{name}'" in app.error[0].value
    assert "Allowed is a FERVT\\-GNN checkpoint that fervt saved" in app.error[0].value
    assert app.header[0].value == before
    assert "checkpoint" not in app.query_params


@pytest.fixture
def upload_many(finish_job):
    def upload_many(app, *files: tuple[str, bytes]):
        uploader = next(u for u in app.file_uploader if u.label.startswith("A zip of images"))
        for name, content in files:
            uploader.upload(name, content)
        app.run()
        next(b for b in app.button if b.label == "Predict with alpha").click().run()
        assert not app.exception
        return finish_job(app)

    return upload_many


def test_many_images_become_a_table_that_can_be_forgotten(open_page, checkpoints, upload_many):
    app = open_page("predict", checkpoint="alpha", way="many")
    zipped = zip_of({"in/two.png": TWO_FACES, "in/bad.png": b"x", "coffee.png": COFFEE})
    upload_many(app, ("mine.zip", zipped), ("one.png", ASTRONAUT))
    assert any("**3 faces** in 3 images, read by alpha." in m.value for m in app.markdown)
    bars = next(h.proto.body for h in app.get("html") if "Faces by answer" in h.proto.body)
    faces = app.dataframe[0].value.dropna(subset="label")
    sure = faces[list(FER2013.classes)].max(axis=1) >= UNMEASURED
    leads = Counter(expression(f).name for f in faces["label"][sure])
    for name, count in {**leads, "Unsure": int((~sure).sum())}.items():
        assert f"{name} {count}" in bars
    cards = [b for b in app.button if (b.key or "").startswith("press_batch_")]
    assert len(cards) == 3
    assert app.dataframe[0].value["file"].tolist() == [
        "mine.zip/coffee.png",
        "mine.zip/in/bad.png",
        "mine.zip/in/two.png",
        "mine.zip/in/two.png",
        "one.png",
    ]
    answer = app.dataframe[0].value["label"][4]
    face = Predictor(checkpoints["alpha"]).predict(data.astronaut())[0]
    assert answer == face.label
    assert any("Files that could not be read: 1." in w.value for w in app.warning)
    job = app.query_params["job"]
    again = open_page("predict", checkpoint="alpha", way="many", job=job)
    assert len(again.dataframe[0].value) == 5
    looking = open_page("predict", way="many", job=job)
    next(b for b in looking.button if b.label == "Predict other images").click().run()
    assert server_jobs().find(job) is None


def test_a_batch_says_who_sees_it_and_is_gone_once_it_is_forgotten(open_page, upload_many):
    app = upload_many(open_page("predict", checkpoint="alpha", way="many"), ("a.png", ASTRONAUT))
    job = server_jobs().find(app.query_params["job"])
    until = datetime.fromtimestamp(job.ended + 3600, UTC)
    said = next(c.value for c in app.caption if "Anyone with this link" in c.value)
    assert said.endswith(f"until you forget it, or until {until:%H:%M}.")
    next(b for b in app.button if b.label == "Forget this batch").click().run()
    assert not app.exception
    assert server_jobs().find(job.id) is None and "job" not in app.query_params
    assert any(u.label.startswith("A zip of images") for u in app.file_uploader)
    late = open_page("predict", way="many", job=job.id)
    assert not late.dataframe and "no longer on this server" in late.warning[0].value


def test_forgetting_a_batch_that_was_shared_keeps_ones_own(open_page, upload_many):
    theirs, mine = (
        upload_many(open_page("predict", checkpoint="alpha", way="many"), (name, ASTRONAUT))
        for name in ("theirs.png", "mine.png")
    )
    own = mine.query_params["job"]
    mine.query_params["job"] = theirs.query_params["job"]
    mine.run()
    next(b for b in mine.button if b.label == "Forget this batch").click().run()
    assert mine.dataframe[0].value["file"].tolist() == ["mine.png"]
    server_jobs().forget(own)


def test_unsure_faces_are_counted_and_shown_apart(open_page, upload_many, monkeypatch):
    app = open_page("predict", checkpoint="alpha", way="many")
    upload_many(app, ("two.png", TWO_FACES), ("one.png", ASTRONAUT))
    shares = np.sort(app.dataframe[0].value[list(FER2013.classes)].max(axis=1))
    monkeypatch.setattr("fervt.ui.certainty._find", lambda _: float(shares[1:].mean()))
    app.query_params["checkpoint"] = "beta"  # the threshold is that of the checkpoint that answered
    app.run()
    assert any("read by alpha" in m.value for m in app.markdown)
    assert any("alpha was right less than half of the time" in c.value for c in app.caption)
    unsure = int((shares < shares[1:].mean()).sum())
    bars = next(h.proto.body for h in app.get("html") if "Faces by answer" in h.proto.body)
    assert f"Unsure {unsure}" in bars

    def said() -> list[bool]:
        cards = [b for b in app.button if (b.key or "").startswith("press_batch_")]
        return [b.label.startswith("Unsure") for b in cards]

    assert sum(said()) == unsure and len(said()) == 3
    answer = next(c for c in app.button_group if c.label == "Answer")
    answer.set_value("unsure").run()
    assert said() == [True] * unsure
    sure = next(c for c in answer.options if c not in ("All", "Unsure"))
    next(c for c in app.button_group if c.label == "Answer").set_value(
        next(c for c in FER2013.classes if expression(c).name == sure)
    ).run()
    assert said() and not any(said())


def test_faces_of_many_photos_are_filtered_and_explained(open_page, upload_many, monkeypatch):
    opened = []
    monkeypatch.setattr(
        "streamlit.switch_page", lambda path, query_params: opened.append((path, query_params))
    )
    monkeypatch.setattr("fervt.ui.certainty._find", lambda _: 0.0)
    app = open_page("predict", checkpoint="alpha", way="many")
    upload_many(app, ("two.png", TWO_FACES), ("one.png", ASTRONAUT), ("coffee.png", COFFEE))

    def cards() -> list:
        return [b for b in app.button if (b.key or "").startswith("press_batch_")]

    assert len(cards()) == 3
    label = app.dataframe[0].value["label"].dropna().iloc[0]
    app.query_params["expression"] = label
    app.run()
    assert len(cards()) == int((app.dataframe[0].value["label"] == label).sum())
    cards()[0].click().run()
    assert not app.exception
    (path, parameters) = opened[0]
    assert path == "pages/explain.py" and parameters["whole"] == "1"
    assert parameters["image"] in app.session_state["own_pictures"]


def test_forget_my_images_leaves_what_others_started(open_page, upload_many):
    theirs = upload_many(open_page("predict", checkpoint="alpha", way="many"), ("a.png", ASTRONAUT))
    mine = upload_many(open_page("predict", checkpoint="alpha", way="many"), ("b.png", COFFEE))
    jobs = [app.query_params["job"] for app in (theirs, mine)]
    mine.query_params["job"] = jobs[0]
    mine.run()
    next(c for c in mine.button_group if c.label == "Way").set_value("look").run()
    next(b for b in mine.button if b.label == "Forget my images").click().run()
    assert not mine.exception
    assert server_jobs().find(jobs[0]) is not None and server_jobs().find(jobs[1]) is None
    looking = open_page("predict", way="many", job=jobs[0])
    assert "Forget my images" not in [b.label for b in looking.button]
    server_jobs().forget(jobs[0])


def test_forget_my_images_forgets_the_table_too(open_page, upload_many):
    app = upload_many(open_page("predict", checkpoint="alpha", way="many"), ("a.png", ASTRONAUT))
    job = app.query_params["job"]
    next(c for c in app.button_group if c.label == "Way").set_value("look").run()
    next(b for b in app.button if b.label == "Forget my images").click().run()
    assert not app.exception
    assert server_jobs().find(job) is None


def test_many_bad_files_are_a_sentence(open_page, upload_many):
    app = upload_many(open_page("predict", checkpoint="alpha", way="many"), ("a.zip", b"x"))
    assert any("'a.zip' is not a readable zip file" in e.value for e in app.error)
