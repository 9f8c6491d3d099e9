"""What people upload: every kind of file is either an RGB array or one sentence."""

import hashlib
import io
import re
import struct
import time
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image
from skimage import data

from fervt.errors import ImageError
from fervt.images import (
    FORMATS,
    IMAGE_SUFFIXES,
    image_sha256,
    read_image,
    read_photo,
    safe_name,
)
from fervt.jpeg import survey

HEIGHT, WIDTH = 6, 10  # differ, so that a swapped axis fails


def picture() -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([rows * 40, columns * 25, 255 - rows * 20], -1).astype(np.uint8)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    def chunk(tag: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "AVIF"])
def test_lossless_formats_keep_every_pixel(kind):
    if kind == "AVIF" and "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow writes no AVIF")
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}
    got = read_image(encode(Image.fromarray(picture()), kind, **options.get(kind, {})), "a")
    assert got.shape == (HEIGHT, WIDTH, 3) and got.dtype == np.uint8
    assert got.flags.writeable and got.flags.c_contiguous
    tolerance = 4 if kind == "AVIF" else 0
    assert np.abs(got.astype(int) - picture()).max() <= tolerance


def test_reads_from_a_path(tmp_path):
    path = tmp_path / "face.png"
    path.write_bytes(encode(Image.fromarray(picture()), "PNG"))
    assert np.array_equal(read_image(path, path.name), picture())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_turned_upright_as_exif_says(orientation, kind):
    # What a camera stores when it is held so that the upright scene is 32 x 48 with a red top
    # left corner.
    upright = np.full((32, 48, 3), 200, np.uint8)
    upright[:16, :16] = 255, 0, 0
    store = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(store(upright)))
    got = read_image(encode(stored, kind, exif=exif), "phone.jpg").astype(int)
    assert got.shape == (32, 48, 3)
    assert np.abs(got[8, 8] - [254, 0, 0]).max() < 6  # JPEG's loss
    assert np.abs(got[8, -8] - 200).max() < 6 and np.abs(got[-8, 8] - 200).max() < 6


def test_damaged_exif_leaves_the_photo():
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40
    got = read_image(encode(Image.fromarray(picture()), "PNG", exif=exif), "a.png")
    assert np.array_equal(got, picture())


def test_transparency_lies_over_white():
    rgba = np.dstack([picture(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    rgba[0, 0] = 10, 20, 30, 0
    rgba[1, 1] = 0, 0, 0, 128
    got = read_image(encode(Image.fromarray(rgba), "PNG"), "logo.png")
    assert got[0, 0].tolist() == [255, 255, 255]
    assert got[1, 1].tolist() == [127, 127, 127]
    assert np.array_equal(got[2:], picture()[2:])


def test_palette_with_a_transparent_color_lies_over_white():
    image = Image.fromarray(np.array([[0, 1, 1], [1, 1, 1]], np.uint8), "P")
    image.putpalette([0, 0, 0, 9, 8, 7])
    got = read_image(encode(image, "PNG", transparency=0), "icon.png")
    assert got[0, 0].tolist() == [255, 255, 255] and got[1, 2].tolist() == [9, 8, 7]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_gray_is_scaled_not_cut(kind):
    gray = np.array([[0, 257, 1000], [32768, 65000, 65535]], np.uint16)
    got = read_image(encode(Image.fromarray(gray), kind), "x-ray.png")
    assert got[..., 0].tolist() == [[0, 1, 4], [128, 253, 255]]
    assert np.array_equal(got[..., 0], got[..., 2])


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_32_bit_tiff_is_stretched_over_its_own_range(dtype):
    values = np.array([[-100, 0, 100], [300, 411, 100]], dtype)
    got = read_image(encode(Image.fromarray(values), "TIFF"), "scan.tif")
    assert got[..., 1].tolist() == [[0, 50, 100], [200, 255, 100]]


def test_flat_32_bit_tiff_does_not_divide_by_zero():
    flat = np.full((HEIGHT, WIDTH), 7, np.float32)
    assert read_image(encode(Image.fromarray(flat), "TIFF"), "flat.tif").shape == (6, 10, 3)


def test_cmyk_becomes_rgb():
    cmyk = Image.new("CMYK", (24, 16), (0, 255, 255, 0))
    got = read_image(encode(cmyk, "JPEG", quality=95), "print.jpg").astype(int)
    assert got.shape == (16, 24, 3) and np.abs(got - [255, 0, 0]).max() < 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA"])
def test_every_common_mode_gives_three_channels(mode):
    got = read_image(encode(Image.fromarray(picture()).convert(mode), "PNG"), "a.png")
    assert got.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_animation_gives_its_first_frame(kind):
    frames = [Image.new("RGB", (WIDTH, HEIGHT), color) for color in ("red", "blue", "green")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    got = read_image(data, "wave.gif").astype(int)
    assert np.abs(got - np.array(frames[0])).max() <= (1 if kind == "MPO" else 0)  # a JPEG inside


def test_one_pixel_is_an_image():
    assert read_image(encode(Image.new("RGB", (1, 1), "white"), "PNG"), "dot").tolist() == [
        [[255, 255, 255]]
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"just some words\n" * 9, "is not an image that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not an image that can be read"),
        (b"\x89PNG\r\n\x1a\n", "is not an image that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image that can be read"),
        (png_header(30_000, 30_000), "pixels"),
        (png_header(5_001, 5_000), "is 5001 x 5000 pixels"),
        (png_header(10_000, 10_000), "pixels"),
        (png_header(500, 400), "is damaged or cut short"),
    ],
)
def test_bad_input_is_one_sentence_that_names_the_file(data, reason):
    with pytest.raises(ImageError) as caught:
        read_image(data, "../../etc/holiday\x1b[31m.png")
    message = str(caught.value)
    assert message.startswith("'holiday[31m.png' ") and reason in message
    assert message.endswith(".") and "\n" not in message and "object at" not in message


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF", "BMP"])
def test_truncated_files_are_refused(kind):
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    data = encode(Image.fromarray(noise), kind)
    with pytest.raises(ImageError, match=r"^'half\.jpg' is (damaged|not an image)"):
        read_image(data[: len(data) // 2], "half.jpg")


def test_a_huge_header_allocates_nothing():
    data = png_header(30_000, 30_000)
    tracemalloc.start()
    with pytest.raises(ImageError):
        read_image(data, "bomb.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6


def test_the_largest_allowed_image_passes_the_door():
    data = encode(Image.new("1", (5_000, 5_000)), "PNG")
    assert read_image(data, "large.png").shape == (5_000, 5_000, 3)


def test_missing_files_and_folders_are_sentences(tmp_path):
    with pytest.raises(ImageError, match=r"^'gone\.png' is not a file\.$"):
        read_image(tmp_path / "gone.png", "gone.png")
    with pytest.raises(ImageError, match=r"^'folder' is not a file\.$"):
        read_image(tmp_path, "folder")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.png", "a.png"),
        ("../../x", "x"),
        ("C:\\Users\\me\\face.jpg", "face.jpg"),
        ("two\nlines\x00.png", "twolines.png"),
        ("gnp\u202egpj.exe", "gnpgpj.exe"),
        ("smörgås 微笑.png", "smörgås 微笑.png"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("/", "unnamed"),
        ("x" * 300 + ".png", "x" * 40 + "…" + "x" * 35 + ".png"),
    ],
)
def test_safe_name(name, shown):
    assert safe_name(name) == shown


def test_image_sha256_is_of_the_bytes():
    assert image_sha256(b"abc") == hashlib.sha256(b"abc").hexdigest()


def astronaut_jpeg(**options) -> bytes:
    return encode(Image.fromarray(data.astronaut()), "JPEG", quality=90, **options)


def test_a_jpeg_without_its_end_marker_is_whole():
    whole = astronaut_jpeg()
    photo = read_photo(whole[:-2], "a.jpg")
    assert photo.note == "" and np.array_equal(photo.rgb, read_image(whole, "a.jpg"))


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("alpha", [None, "as many bits", "all bits"])
def test_colors_that_use_the_lower_bits_of_16_are_scaled(bits, suffix, alpha):
    image = data.astronaut()
    white = 2**bits - 1
    deep = np.rint(image[..., ::-1] * (white / 255)).astype(np.uint16)
    if alpha:
        most = white if alpha == "as many bits" else 65_535
        deep = np.dstack([deep, np.full(deep.shape[:2], most, np.uint16)])
    encoded = cv2.imencode(suffix, deep)[1].tobytes()
    assert np.abs(read_image(encoded).astype(int) - image).max() <= 1


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_of_a_jpeg_that_is_cut_short_what_is_there_is_read(kept):
    whole = astronaut_jpeg()
    photo = read_photo(whole[: int(kept * len(whole))], "a.jpg")
    same = (photo.rgb == read_image(whole, "a.jpg")).all(axis=(1, 2))
    missing = 100 * (1 - same.argmin() / len(same))
    said = int(re.fullmatch(r"The lower (\d+)% of 'a\.jpg' is missing: .*", photo.note)[1])
    assert said == pytest.approx(missing, abs=4)


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_an_even_background_is_not_taken_for_a_missing_part(mode, shade):
    image = data.astronaut()
    image[300:] = shade
    photo = read_photo(encode(Image.fromarray(image).convert(mode), "JPEG")[:-2], "a.jpg")
    assert photo.note == ""


@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}, {"restart_marker_blocks": 7}])
@pytest.mark.parametrize("behind", [b"", bytes(30_000)])
def test_a_part_is_missing_whatever_was_reserved_behind_it(options, behind):
    image = data.astronaut()
    image[250:450] = 255
    whole = encode(Image.fromarray(image), "JPEG", **options)
    photo = read_photo(whole[: len(whole) * 2 // 5] + behind, "a.jpg")
    same = (photo.rgb == read_image(whole)).all(axis=(1, 2))
    said = int(re.fullmatch(r"The lower (\d+)% of 'a\.jpg' is missing: .*", photo.note)[1])
    assert said == pytest.approx(100 * (1 - same.argmin() / len(same)), abs=5)


def test_a_progressive_jpeg_that_is_cut_short_is_less_sharp():
    whole = encode(Image.fromarray(data.astronaut()), "JPEG", progressive=True)
    assert read_photo(whole[:-2], "a.jpg").note == ""
    for share in (0.3, 0.6, 0.9):
        note = read_photo(whole[: int(share * len(whole))], "a.jpg").note
        assert note == "'a.jpg' is cut short, so it is less sharp than it was."


def test_which_part_of_a_turned_photo_is_missing_is_not_guessed():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    whole = astronaut_jpeg(exif=exif)
    photo = read_photo(whole[: len(whole) // 2], "a.jpg")
    assert re.match(r"\d+% of 'a\.jpg' is missing", photo.note)


def test_a_jpeg_with_thousands_of_scans_is_refused_before_it_is_decoded():
    whole = astronaut_jpeg(progressive=True)
    first = whole.rindex(b"\xff\xda")
    header = whole[first : first + 2 + int.from_bytes(whole[first + 2 : first + 4], "big")]
    bomb = whole[:-2] + 2000 * header + whole[-2:]
    began = time.thread_time()
    with pytest.raises(ImageError, match=r"^'bomb\.jpg' has more than 100 progressive scans"):
        read_image(bomb, "bomb.jpg")
    assert time.thread_time() - began < 1  # decoding takes several
    assert survey(whole).scans < 20 and survey(whole).progressive
    # A marker inside a comment is none, and neither hides what comes after it.
    comment = b"\xff\xfe\x00\x06\xff\xd9\xff\xda"
    assert survey(whole[:2] + comment + whole[2:]) == survey(whole)
    began = time.thread_time()
    assert not survey(whole[:-2] + 1_000_000 * b"\xff").ends  # padding costs no time
    assert time.thread_time() - began < 1
    assert survey(b"\xff\xd8" + 30_000 * b"\xff\xfe\x00\x02" + whole[2:]).scans > 100


def test_a_large_jpeg_is_decoded_smaller():
    image = Image.fromarray(data.astronaut()).resize((7200, 5000))
    rgb = read_image(encode(image, "JPEG", quality=50), "phone.jpg")
    assert rgb.shape == (2500, 3600, 3)
    assert np.abs(rgb.mean(axis=(0, 1)) - np.asarray(image).mean(axis=(0, 1))).max() < 3
    with pytest.raises(ImageError, match="is 7200 x 5000 pixels"):
        read_image(encode(image.convert("L"), "PNG", compress_level=1), "scan.png")


@pytest.mark.parametrize("name", ["photo.heic", "photo.jpg"])
def test_heic_is_read_under_any_name(name):
    content = encode(Image.fromarray(data.astronaut()), "HEIF", quality=90)
    rgb = read_image(content, name)
    assert rgb.shape == (512, 512, 3)
    assert np.abs(rgb.astype(int) - data.astronaut()).mean() < 4


@pytest.mark.parametrize(
    ("bits", "shape"), [(10, (6, 10)), (12, (6, 10)), (12, (6, 10, 3)), (14, (6, 10, 4))]
)
def test_a_16_bit_file_is_scaled_by_the_bits_that_are_used(bits, shape):
    eight = picture()[..., 0] if len(shape) == 2 else picture()
    if shape[-1] == 4:
        eight = np.dstack([eight, np.full((6, 10), 255, np.uint8)])
    deep = (eight.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
    if len(shape) > 2 and shape[-1] == 4:
        deep[..., 3] = 2**bits - 1
    order = deep if len(shape) == 2 else deep[..., [2, 1, 0, 3][: shape[-1]]]
    content = cv2.imencode(".png", order)[1].tobytes()
    expected = eight if len(shape) > 2 else np.repeat(eight[..., None], 3, 2)
    assert np.abs(read_image(content, "deep.png").astype(int) - expected[..., :3]).max() <= 1


def test_every_suffix_is_one_that_the_reader_reads():
    """The one list of names, against what Pillow calls the formats that are allowed."""
    Image.init()
    known = {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS}
    known |= {".mpo"}  # a JPEG with another one behind it
    known |= {".hif"}  # HEIF, as Canon and Sony name it
    assert set(IMAGE_SUFFIXES) <= known
    assert known - set(IMAGE_SUFFIXES) <= {".apng", ".avifs", ".dib", ".heics", ".heifs"}


def test_a_jpeg_that_draws_its_colors_one_by_one_must_be_held_whole():
    """Such a file is baseline, but its decoder keeps all coefficients as for a progressive one."""
    whole = astronaut_jpeg()
    scan = whole.index(b"\xff\xda")
    assert whole[scan + 4] == 3 and not survey(whole).progressive
    one = whole[: scan + 4] + b"\1" + whole[scan + 5 :]
    assert survey(one).progressive


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_deep_colors_are_turned_once(orientation, kind) -> None:
    image = np.zeros((16, 24, 3), np.uint16)
    image[:8, :12] = 65535, 0, 0  # red, in the corner that orientation moves
    encoded = cv2.imencode(f".{kind.lower()}", image[..., ::-1])[1].tobytes()
    flat = Image.fromarray((image >> 8).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    saved = io.BytesIO()
    flat.save(saved, kind, exif=exif)
    wanted = read_image(saved.getvalue(), f"flat.{kind.lower()}")
    assert read_image(with_orientation(encoded, kind, exif), "deep").tolist() == wanted.tolist()


def with_orientation(encoded: bytes, kind: str, exif: Image.Exif) -> bytes:
    """A 16-bit file with an orientation, which neither library writes."""
    if kind == "PNG":
        chunk = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
        at = encoded.index(b"IDAT") - 4
        body = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return encoded[:at] + body + encoded[at:]
    order = "<" if encoded[:2] == b"II" else ">"
    start = struct.unpack(order + "I", encoded[4:8])[0]
    count = struct.unpack(order + "H", encoded[start : start + 2])[0]
    entries = encoded[start + 2 : start + 2 + 12 * count]
    listed = [entries[i : i + 12] for i in range(0, len(entries), 12)]
    listed = [e for e in listed if struct.unpack(order + "H", e[:2])[0] != 0x0112]
    listed.append(struct.pack(order + "HHIHH", 0x0112, 3, 1, exif[0x0112], 0))
    listed.sort(key=lambda entry: struct.unpack(order + "H", entry[:2])[0])
    directory = struct.pack(order + "H", len(listed)) + b"".join(listed) + bytes(4)
    return encoded[:4] + struct.pack(order + "I", len(encoded)) + encoded[8:] + directory
