"""A model takes a picture as whatever it comes, and says what is wrong in one sentence."""

import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fervt
from fervt.errors import CheckpointError, ConfigError, ImageError

FACE_PX = (177, 66, 274, 163)


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
    (tmp_path / "cut.jpg").write_bytes(content.getvalue()[:1500])
    with pytest.raises(ImageError, match=r"^'cut\.jpg' is damaged or cut short"):
        model(tmp_path / "cut.jpg")
    with Image.open(tmp_path / "cut.jpg") as opened:
        with pytest.raises(ImageError, match="is damaged or cut short"):
            model(opened)


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [
        ([(1, 2, 3)], r"A box is four pixel coordinates"),
        ([("a", "b", "c", "d")], r"A box is four pixel coordinates"),
        (5, r"Boxes must be a list of boxes, not int\."),
        ("12345", r"A box is four pixel coordinates"),
        ([5], r"A box is four pixel coordinates"),
        ([(0, 0, float("nan"), 9)], r"contains a number that is not finite"),
        ([(0, 0, float("inf"), 9)], r"contains a number that is not finite"),
        ([(600, 0, 700, 90)], r"not inside an image of 512x512 pixels"),
        ([(90, 90, 10, 10)], r"not inside an image"),
    ],
)
def test_bad_boxes_are_one_sentence(model, astronaut, boxes, sentence):
    with pytest.raises(ImageError, match=sentence):
        model(astronaut, boxes=boxes)


def test_faces_are_looked_for_given_or_the_whole_picture(model, astronaut):
    (found,) = model(astronaut)
    assert np.abs(np.subtract(found.box_xyxy_px, FACE_PX)).max() < 12
    given = model(astronaut, boxes=[(10.4, 20.6, 90, 110), np.array(FACE_PX)])
    assert [face.box_xyxy_px for face in given] == [(10, 21, 90, 110), FACE_PX]
    again = model(astronaut, boxes=[found.box_xyxy_px])
    assert again[0].probabilities == pytest.approx(found.probabilities, abs=1e-5)
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
        ("x" * 5000, "There is no checkpoint 'x{200}'"),
        ("a\0b", "There is no checkpoint 'a"),
        (5, "must be a string or a path, not int"),
        (tmp_path / "bad.safetensors", r"'bad\.safetensors' is not a complete safetensors file"),
    ):
        with pytest.raises(CheckpointError, match=sentence):
            fervt.load(wrong)
    with pytest.raises(ConfigError, match="no device 'tpu' on this machine"):
        fervt.load(checkpoint, device="tpu")
    with pytest.raises(ConfigError, match="no engine 'fast'; known: auto, torch"):
        fervt.load(checkpoint, engine="fast")


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
