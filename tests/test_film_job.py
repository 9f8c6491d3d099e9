"""A film as a job: bytes in, readings and a film's bytes out, nothing on the disk."""

import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from film import astronaut_frames, write_film
from tiny import save_tiny

from fervt import video as video_job
from fervt.jobs import Jobs
from fervt.live import LiveSettings
from fervt.predict import Predictor
from fervt.video import VideoError, read_film, read_video, redraw_film

SETTINGS = LiveSettings("gwa", search_every=2)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory) -> Predictor:
    return Predictor(save_tiny(tmp_path_factory.mktemp("job")))


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_film(path, astronaut_frames(240, 182, 8), "libx264", "yuv420p").read_bytes()


def read_here(predictor: Predictor, name: str, content: bytes):
    return read_film(lambda share, doing: None, predictor, name, content, SETTINGS)


def test_a_child_process_reads_what_this_one_reads(predictor, film, tmp_path, monkeypatch):
    job = Jobs().start("video", "Reading", read_film, predictor, "film.mp4", film, SETTINGS)
    deadline = time.monotonic() + 120
    while job.state == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert job.state == "done", job.error
    found = job.result
    assert job.doing.startswith("Frame ") and 0 < job.share <= 1
    path = tmp_path / "film.mp4"
    path.write_bytes(film)
    here = []
    summary = read_video(path, predictor, settings=SETTINGS, on_frame=lambda r, _: here.append(r))
    assert found.summary == summary and summary.frames == 8
    assert found.checkpoint == "tiny" and found.vocabulary == predictor.classes
    for read, expected in zip(found.readings, here, strict=True):
        assert read.time_s == expected.time_s
        assert [f.box_xyxy_px for f in read.faces] == [f.box_xyxy_px for f in expected.faces]
        for face, same in zip(read.faces, expected.faces, strict=True):
            np.testing.assert_allclose(face.probabilities, same.probabilities, atol=1e-4)


@pytest.mark.parametrize(("overlay", "bars"), [("graph", True), ("none", False), ("gwa", False)])
def test_another_overlay_is_drawn_as_if_the_film_had_been_read_with_it(
    predictor, film, monkeypatch, overlay, bars
):
    kept = replace(SETTINGS, overlay="none", keep_evidence=True)
    done = read_film(lambda share, doing: None, predictor, "film.mp4", film, kept)
    other = replace(SETTINGS, overlay=overlay, bars=bars)
    expected = read_film(lambda share, doing: None, predictor, "film.mp4", film, other)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a face was read again")

    monkeypatch.setattr(Predictor, "classify", refuse)
    monkeypatch.setattr("fervt.faces.FaceDetector.detect", refuse)
    bare = replace(done, annotated_mp4=b"")
    drawn = redraw_film(lambda share, doing: None, "film.mp4", film, bare, overlay, bars)
    pairs = zip(frames_of(drawn), frames_of(expected.annotated_mp4), strict=True)
    for one, same in pairs:
        assert np.abs(one.astype(int) - same).mean() < 0.2  # as far as H.264 is repeatable
    before = zip(frames_of(drawn), frames_of(done.annotated_mp4), strict=True)
    assert any(np.abs(one.astype(int) - same).mean() > 0.2 for one, same in before)


def frames_of(content: bytes) -> list[np.ndarray]:
    with av.open(BytesIO(content)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_nothing_lies_on_the_disk(predictor, film, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a path was opened to write")

    monkeypatch.setattr("fervt.video.write_aside", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    shares: list[float] = []
    found = read_film(lambda s, _: shares.append(s), predictor, "film.mp4", film, SETTINGS)
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1, abs=0.02)
    with av.open(BytesIO(found.annotated_mp4)) as copy, av.open(BytesIO(film)) as source:
        stream = copy.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (240, 182)
        shown, given = (
            [frame.to_ndarray(format="rgb24").astype(int) for frame in one.decode(video=0)]
            for one in (copy, source)
        )
    assert len(shown) == len(given) == 8
    assert all(np.abs(a - b).max() > 100 for a, b in zip(shown, given, strict=True))


def soundtrack() -> bytes:
    content = BytesIO()
    with av.open(content, "w", format="avi") as sound:
        stream = sound.add_stream("pcm_s16le", rate=8000, layout="mono")
        audio = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        audio.sample_rate = 8000
        sound.mux(stream.encode(audio))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cat.mp4 is empty."),
        (b"not a film" * 100, "cat.mp4 is not a readable video."),
        (soundtrack(), "cat.mp4 has no picture."),
        # A playlist would make FFmpeg open what it names.
        (b"#EXTM3U\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n", "is not a readable video"),
        (b"ffconcat version 1.0\nfile '/etc/hostname'\n", "is not a readable video"),
    ],
)
def test_what_cannot_be_read_is_named(predictor, content, sentence):
    with pytest.raises(VideoError, match=sentence):
        read_here(predictor, "cat.mp4", content)


def test_a_file_that_was_cut_is_no_film_or_damaged(predictor, film):
    with pytest.raises(VideoError, match=r"cut\.mp4 (is not a readable video|is damaged)"):
        read_here(predictor, "cut.mp4", film[: len(film) // 2])


def test_a_film_too_large_for_memory_ends_before_its_end(predictor, tmp_path, monkeypatch):
    frames = astronaut_frames(72, 54, 120)
    film = write_film(tmp_path / "long.mp4", frames, "libx264", "yuv420p").read_bytes()
    monkeypatch.setattr(video_job, "MAX_FILM_BYTES", 50)
    shares: list[float] = []
    with pytest.raises(VideoError, match="too long to be kept in memory"):
        read_film(lambda s, _: shares.append(s), predictor, "long.mp4", film, SETTINGS)
    assert shares[-1] < 0.9
