"""Films of every kind come as a player shows them, and what is damaged is skipped and said."""

import io
import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from fervt.film import Film, VideoError

WIDTH, HEIGHT, FPS = 96, 64, 10
COLORS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220), "gray": (128,) * 3}


def corners() -> np.ndarray:
    """A picture whose corners differ: red, green, blue and gray, row by row."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for i, color in enumerate(COLORS.values()):
        rows = np.s_[: HEIGHT // 2] if i < 2 else np.s_[HEIGHT // 2 :]
        columns = np.s_[: WIDTH // 2] if i % 2 == 0 else np.s_[WIDTH // 2 :]
        image[rows, columns] = color
    return image


def look(image: np.ndarray) -> list[str]:
    """What is in an image's corners, row by row."""
    found = []
    for row in (6, -7):
        for column in (6, -7):
            distance = {
                n: np.abs(image[row, column] - np.array(c)).sum() for n, c in COLORS.items()
            }
            found.append(min(distance, key=distance.get))
    return found


def film(
    frames: int = 20, kind: str = "mp4", images=None, ratio: int = 1, path=None, **options: str
) -> bytes:
    content = io.BytesIO() if path is None else str(path)
    pictures = [corners()] * frames if images is None else images
    with av.open(content, "w", format=kind, options=options) as container:
        codec = "gif" if kind == "gif" else "libx264"
        stream = container.add_stream(codec, rate=FPS)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "rgb8" if kind == "gif" else "yuv420p"
        if kind != "gif":
            stream.codec_context.sample_aspect_ratio = Fraction(ratio, 1)
            stream.codec_context.gop_size = 5
        for image in pictures:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode(None))
    return content.getvalue() if path is None else path.read_bytes()


def read(content: bytes):
    with Film(io.BytesIO(content), "a film") as opened:
        frames = list(opened)
        return frames, opened.notes


def with_matrix(content: bytes, a: int, b: int, c: int, d: int) -> bytes:
    """Sets the display matrix of an MP4's first track."""
    at = content.index(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    return content[:at] + matrix + content[at + 36 :]


@pytest.mark.parametrize("kind", ["mp4", "matroska", "avi", "mpegts", "gif"])
def test_kinds_of_films(kind):
    frames, notes = read(film(kind=kind))
    assert len(frames) == 20 and notes == ()
    assert look(frames[-1].rgb) == ["red", "green", "blue", "gray"]
    times = [frame.time_s for frame in frames]
    assert times[0] == 0 and times[-1] == pytest.approx(1.9, abs=0.02)
    assert all(later > sooner for sooner, later in pairwise(times))
    assert 0 < frames[0].share <= frames[-1].share <= 1


def test_frames_that_are_done_with_leave_memory():
    """Jobs limit the address space: these are 230 MB, and took gigabytes with their threads."""
    content = film(images=[np.zeros((480, 640, 3), np.uint8)] * 250)
    with Film(io.BytesIO(content), "a film") as opened:
        reserved = []
        for _ in opened:
            reserved.append(psutil.Process().memory_info().vms)
    assert len(reserved) == 250
    assert reserved[-1] - reserved[50] < 50_000_000


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), ["red", "green", "blue", "gray"]),
        ((-1, 0, 0, 1), ["green", "red", "gray", "blue"]),  # mirrored
        ((1, 0, 0, -1), ["blue", "gray", "red", "green"]),  # upside down, mirrored
        ((-1, 0, 0, -1), ["gray", "blue", "green", "red"]),  # turned by 180 degrees
        ((0, 1, -1, 0), ["blue", "red", "gray", "green"]),  # by 90, clockwise
        ((0, -1, 1, 0), ["green", "gray", "red", "blue"]),  # by 90, counterclockwise
        ((0, 1, 1, 0), ["red", "blue", "green", "gray"]),  # along the diagonal
        ((0, -1, -1, 0), ["gray", "green", "blue", "red"]),  # along the other one
    ],
)
def test_every_display_matrix_is_applied(matrix, shown):
    frames, _ = read(with_matrix(film(), *matrix))
    assert look(frames[3].rgb) == shown
    turned = matrix[0] == 0
    assert frames[3].rgb.shape[:2] == ((WIDTH, HEIGHT) if turned else (HEIGHT, WIDTH))


def test_pixels_are_made_square():
    frames, _ = read(film(ratio=2))
    assert frames[0].rgb.shape == (HEIGHT, 2 * WIDTH, 3)
    assert look(frames[0].rgb) == ["red", "green", "blue", "gray"]


def test_the_film_is_read_and_not_its_cover():
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 40, 40, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        gray = av.VideoFrame.from_ndarray(np.full((40, 40, 3), 90, np.uint8), format="rgb24")
        container.mux(cover.encode(gray))
        for _ in range(8):
            frame = av.VideoFrame.from_ndarray(corners(), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    frames, _ = read(content.getvalue())
    assert len(frames) == 8 and look(frames[0].rgb) == ["red", "green", "blue", "gray"]


def test_joined_clips_keep_a_growing_time_and_their_own_sizes():
    frames, _ = read(film(kind="mpegts") + film(kind="mpegts", images=[corners()[:, :64]] * 10))
    times = [frame.time_s for frame in frames]
    assert len(frames) == 30
    assert all(later > sooner for sooner, later in pairwise(times))
    assert times[-1] == pytest.approx(2.9, abs=0.2)
    assert frames[0].rgb.shape[:2] == (HEIGHT, WIDTH) and frames[-1].rgb.shape[:2] == (HEIGHT, 64)


def test_a_film_that_ends_early_is_read_as_far_as_it_goes(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (40, HEIGHT, WIDTH, 3), np.uint8)
    whole = film(images=list(noise), path=tmp_path / "x.mp4", movflags="faststart")
    frames, notes = read(whole[: len(whole) // 2])
    assert 10 < len(frames) < 30
    (note,) = notes
    assert note.startswith("The file says 4.0 s; ") and "could be read" in note


def test_a_film_that_is_cut_in_its_first_picture_shows_that(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    whole = film(images=[noise] * 20, path=tmp_path / "x.mp4", movflags="faststart")
    data = whole.index(b"mdat")
    first = int.from_bytes(whole[data + 4 : data + 8], "big")
    cut = whole[: data + 8 + first + 900]
    frames, notes = read(cut)
    assert len(frames) == 1 and notes[-1].startswith("The file says 2.0 s; 0.1 s")


def test_damage_in_the_middle_is_skipped_and_counted():
    noise = np.random.default_rng(0).integers(0, 255, (40, HEIGHT, WIDTH, 3), np.uint8)
    content = bytearray(film(images=list(noise), kind="matroska"))
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    frames, _ = read(bytes(content))
    assert 20 < len(frames) < 40
    assert frames[-1].time_s > 3.5


def test_frames_that_a_decoder_swallows_behind_damage_are_counted():
    noise = np.random.default_rng(0).integers(0, 255, (40, HEIGHT, WIDTH, 3), np.uint8)
    content = bytearray(film(images=list(noise)))
    middle = (content.index(b"mdat") + len(content)) // 2
    content[middle : middle + 30_000] = bytes(30_000)
    frames, notes = read(bytes(content))
    assert 20 < len(frames) < 40
    assert notes == (f"{40 - len(frames)} of 40 frames could not be read.",)


def test_a_film_that_lacks_little_says_so_too():
    noise = np.random.default_rng(0).integers(0, 255, (40, HEIGHT, WIDTH, 3), np.uint8)
    whole = film(images=list(noise), kind="matroska")
    frames, notes = read(whole[: len(whole) * 9 // 10])
    assert 30 < len(frames) < 38
    assert notes[-1].startswith(f"The file says {40 / FPS:.1f} s;")


def test_the_shape_of_pixels_may_change_where_clips_are_joined():
    frames, _ = read(film(kind="mpegts") + film(kind="mpegts", ratio=2))
    assert [frame.rgb.shape for frame in frames[:1] + frames[-1:]] == [
        (HEIGHT, WIDTH, 3),
        (HEIGHT, 2 * WIDTH, 3),
    ]


def test_every_frame_has_a_limit(monkeypatch):
    content = film(kind="mpegts") + film(
        kind="mpegts", images=[np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8)] * 5
    )
    monkeypatch.setattr("fervt.film.MAX_PIXELS", 2 * WIDTH * HEIGHT)
    with pytest.raises(VideoError, match="has frames of more than"):
        read(content)


def test_a_film_whose_coding_is_unknown_is_a_sentence(tmp_path):
    with av.open(str(tmp_path / "a.avi"), "w") as film:
        stream = film.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        film.mux(stream.encode(av.VideoFrame.from_ndarray(corners(), format="rgb24")))
        film.mux(stream.encode(None))
    content = (tmp_path / "a.avi").read_bytes().replace(b"FMP4", b"????")
    with pytest.raises(VideoError, match="uses a codec"):
        Film(io.BytesIO(content), "a.avi")


def test_frames_before_a_time_are_passed_over():
    content = film(20)
    every, _ = read(content)
    with Film(io.BytesIO(content), "a film", from_s=1.2) as opened:
        late = list(opened)
    assert [frame.time_s for frame in late] == [f.time_s for f in every if f.time_s > 1.15]
    np.testing.assert_array_equal(late[0].rgb, every[12].rgb)


def test_a_lack_of_memory_is_no_damage(monkeypatch):
    def refuse(self, frame):
        raise av.error.MemoryError(12, "Cannot allocate memory")

    monkeypatch.setattr(Film, "_as_shown", refuse)
    with pytest.raises(MemoryError):
        read(film(3))


def test_a_name_may_have_a_colon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("10:30.mp4").write_bytes(film(3))
    with Film(Path("10:30.mp4"), "10:30.mp4") as opened:
        assert len(list(opened)) == 3
