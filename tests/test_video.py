"""Video files: an annotated copy that browsers play, and the table beside it."""

import csv
from io import BytesIO
from itertools import chain, repeat

import av
import numpy as np
import pytest
from film import astronaut_frames, write_film
from tiny import save_tiny

from fervt.__main__ import main
from fervt.labels import FER2013
from fervt.live.mp4 import Mp4Writer
from fervt.predict import Predictor
from fervt.video import VideoError, read_video

WIDTH, HEIGHT, FPS = 320, 238, 20


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("video"))


@pytest.fixture(scope="module")
def predictor(checkpoint):
    return Predictor(checkpoint)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Six frames with a face, then three without."""
    blank = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    frames = chain(astronaut_frames(WIDTH, HEIGHT, 6), repeat(blank, 3))
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_film(path, frames, "libx264", "yuv420p", FPS)


def table_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_copy_is_what_browsers_play_and_as_long_as_the_source(film, predictor, tmp_path):
    out = tmp_path / "out.mp4"
    found = read_video(film, predictor, out)
    assert (found.frames, found.people) == (9, 1)
    assert 6 <= found.with_faces <= 8  # one missed search is forgiven
    with av.open(str(out)) as copy, av.open(str(film)) as source:
        stream = copy.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        shown = [(f.time, f.to_ndarray(format="rgb24")) for f in copy.decode(video=0)]
        given = [(f.time, f.to_ndarray(format="rgb24")) for f in source.decode(video=0)]
    assert [t for t, _ in shown] == pytest.approx([t for t, _ in given], abs=1e-3)
    assert shown[0][1].shape == (HEIGHT, WIDTH, 3)
    change = [np.abs(a.astype(int) - b).max() for (_, a), (_, b) in zip(shown, given, strict=True)]
    assert min(change[:6]) > 100  # the box and the bars
    assert change[8] < 20  # nothing was drawn where nobody is


def test_the_table_has_a_row_a_face_and_one_for_a_frame_without(film, predictor, tmp_path):
    table = tmp_path / "new" / "out.csv"
    read_video(film, predictor, table=table)
    rows = table_of(table)
    assert [row["frame"] for row in rows] == [str(i) for i in range(9)]
    assert float(rows[4]["time_s"]) == pytest.approx(4 / FPS)
    assert rows[0]["face"] == "1" and rows[8]["face"] == rows[8]["label"] == ""
    shares = [float(rows[0][name]) for name in FER2013.classes]
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    assert FER2013.classes[int(np.argmax(shares))] == rows[0]["label"]


def test_reading_twice_gives_the_same_table(film, predictor, tmp_path):
    for name in ("one.csv", "two.csv"):
        read_video(film, predictor, table=tmp_path / name)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_stopping_leaves_no_file_behind(film, predictor, tmp_path):
    shares = []

    class Stop(Exception):
        pass

    def stop(reading, share):
        shares.append(share)
        if reading.index == 3:
            raise Stop

    with pytest.raises(Stop):
        read_video(film, predictor, tmp_path / "a.mp4", tmp_path / "a.csv", on_frame=stop)
    assert not list(tmp_path.iterdir())
    assert shares == pytest.approx([1 / 9, 2 / 9, 3 / 9, 4 / 9], abs=0.03)


def test_other_kinds_and_odd_sizes(predictor, tmp_path):
    source = write_film(
        tmp_path / "odd.avi", astronaut_frames(161, 121, 2), "mjpeg", "yuvj444p", FPS
    )
    out = tmp_path / "odd.mp4"
    assert read_video(source, predictor, out).frames == 2
    with av.open(str(out)) as copy:
        stream = copy.streams.video[0]
        assert (stream.width, stream.height) == (160, 120)


def test_what_is_no_video_is_named(predictor, tmp_path):
    text = tmp_path / "notes.mp4"
    text.write_text("not a film" * 100)
    with pytest.raises(VideoError, match=r"notes\.mp4 is not a readable video"):
        read_video(text, predictor)
    with pytest.raises(VideoError, match="There is no file"):
        read_video(tmp_path / "gone.mp4", predictor)
    with av.open(str(tmp_path / "sound.wav"), "w") as sound:
        stream = sound.add_stream("pcm_s16le", rate=8000, layout="mono")
        audio = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        audio.sample_rate = 8000
        sound.mux(stream.encode(audio))
    with pytest.raises(VideoError, match=r"sound\.wav has no picture"):
        read_video(tmp_path / "sound.wav", predictor)


def test_a_film_that_does_not_say_how_long_it_is_has_a_progress(predictor, tmp_path):
    """As browsers record: a live WebM, which nobody went back to finish."""
    content = BytesIO()
    options = {"live": "1", "cluster_time_limit": "200"}
    with av.open(content, "w", format="webm", options=options) as film:
        stream = film.add_stream("libvpx", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in astronaut_frames(WIDTH, HEIGHT, 20):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        film.mux(stream.encode(None))
    with av.open(BytesIO(content.getvalue())) as film:
        assert not film.duration
    shares = []
    content.seek(0)
    read_video(content, predictor, on_frame=lambda _, share: shares.append(share))
    assert len(shares) == 20 and shares == sorted(shares)
    assert 0.8 < shares[-1] <= 1 and len(set(shares)) > 10


def test_a_film_in_memory_gives_the_same_table_and_copy(film, predictor, tmp_path):
    read_video(film, predictor, tmp_path / "a.mp4", tmp_path / "a.csv")
    copy = BytesIO()
    read_video(BytesIO(film.read_bytes()), predictor, copy, tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    with av.open(BytesIO(copy.getvalue())) as one, av.open(str(tmp_path / "a.mp4")) as two:
        for shown, same in zip(one.decode(video=0), two.decode(video=0), strict=True):
            assert shown.time == same.time
            images = [frame.to_ndarray(format="rgb24").astype(int) for frame in (shown, same)]
            assert np.abs(images[0] - images[1]).mean() < 1


def test_frames_of_too_many_pixels_are_refused(predictor, film, monkeypatch):
    monkeypatch.setattr("fervt.film.MAX_PIXELS", WIDTH * HEIGHT - 1)
    with pytest.raises(VideoError, match=r"film\.mp4 has frames of more than"):
        read_video(film, predictor)


def test_frames_that_cannot_be_read_are_counted_and_named(film, checkpoint, tmp_path, monkeypatch):
    worn = Predictor(checkpoint)
    classify, calls = worn.classify, []

    def fail_at_first(*arguments):
        calls.append(1)
        if len(calls) <= 2:
            raise RuntimeError("worn out")
        return classify(*arguments)

    monkeypatch.setattr(worn, "classify", fail_at_first)
    found = read_video(film, worn)
    assert (found.frames, found.failed) == (9, 2)
    assert found.problem == "A frame could not be read (RuntimeError)."
    monkeypatch.setattr("fervt.live.worker.FaceDetector.detect", lambda *_: 1 / 0)
    with pytest.raises(VideoError, match=r"No frame of film\.mp4 could be read\. .*ZeroDivision"):
        read_video(film, worn, tmp_path / "out.mp4")
    assert not list(tmp_path.iterdir())


def test_the_command_line(film, checkpoint, tmp_path, capsys):
    out, table = tmp_path / "out.mp4", tmp_path / "out.csv"
    asked = ["video", str(film), "--checkpoint", str(checkpoint)]
    assert main([*asked, "--out", str(out), "--csv", str(table), "--overlay", "graph"]) == 0
    assert "9 frames" in capsys.readouterr().out
    assert out.stat().st_size > 1000 and len(table_of(table)) == 9
    for wrong, message in (
        ([], "Give an output file"),
        (["--csv", str(film)], "must be different"),
        (["--csv", str(table), "--search-every", "0"], "--search-every 1 or more"),
        (["--csv", str(film / "below.csv")], "cannot be written"),
    ):
        assert main([*asked, *wrong]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and message in error


def test_a_picture_wider_than_h264_allows_is_shrunk():
    target = BytesIO()
    with Mp4Writer(target) as writer:
        for number in range(2):
            writer.add(np.full((40, 20_000, 3), 90, np.uint8), number / 10)
    target.seek(0)
    with av.open(target) as made:
        (first, _) = made.decode(video=0)
    assert (first.width, first.height) == (16_384, 32)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("predict {photo} --csv {photo}", "would overwrite the source"),
        ("predict {photo} --csv other.jpg", "is an image's name, not a table's"),
        ("predict {table} --out {table}", "would overwrite the source"),
        ("export {checkpoint} --out {checkpoint}", "would overwrite the source"),
    ],
)
def test_nothing_writes_over_what_it_reads(words, said, checkpoint, tmp_path, capsys):
    given = {"photo": tmp_path / "a.png", "table": tmp_path / "t.parquet", "checkpoint": checkpoint}
    given["photo"].write_bytes(b"photo")
    given["table"].write_bytes(b"table")
    before = {name: path.read_bytes() for name, path in given.items()}
    assert main(words.format(**given).split()) == 2
    assert said in capsys.readouterr().err
    assert {name: path.read_bytes() for name, path in given.items()} == before
