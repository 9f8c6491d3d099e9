"""Pictures are decoded within a budget, and a decoder that misbehaves takes nothing with it."""

import os
import signal
import subprocess
import sys
import threading
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from skimage import data

from fervt import images
from fervt.errors import ImageError
from fervt.sandbox import Decoder
from fervt.sandbox.limits import hide_environment


def encoded(kind="PNG", size=(30, 20)) -> bytes:
    file = BytesIO()
    Image.fromarray(data.astronaut()).resize(size).save(file, kind)
    return file.getvalue()


@pytest.fixture
def decoder():
    decoder = Decoder(1)
    yield decoder
    decoder.close()


@pytest.fixture
def misbehaving():
    """A decoder whose process does something else at the picture named 'bad'."""
    made = []

    def make(statement: str, wall_s: float = 20.0) -> Decoder:
        program = (
            "import os, signal, sys, time\n"
            "from fervt.sandbox import child\n"
            "good = child.read_photo\n"
            "def read_photo(data, name, max_pixels):\n"
            f"    if name == 'bad':\n        {statement}\n"
            "    return good(data, name, max_pixels)\n"
            "child.read_photo, child.CPU_S, child.MEMORY_BYTES = read_photo, 1, 300_000_000\n"
            "child.main()\n"
        )
        made.append(Decoder(1, wall_s, [sys.executable, "-c", program]))
        return made[-1]

    yield make
    for decoder in made:
        decoder.close()


@pytest.mark.parametrize("kind", images.FORMATS)
def test_every_format_reads_as_in_process(decoder, kind):
    content = encoded(kind)
    for _ in range(2):  # the second time nothing is left to be imported
        photo = decoder.read_photo(content, "x")
        np.testing.assert_array_equal(photo.rgb, images.read_image(content))
        assert photo.rgb.flags.writeable


def test_notes_and_sentences_come_through(decoder):
    cut = encoded("JPEG", (400, 300))[:-3000]
    assert decoder.read_photo(cut, "cut.jpg").note == images.read_photo(cut, "cut.jpg").note != ""
    for content in (b"", b"no image", encoded()[:50], encoded("PNG", (90, 80))):
        with pytest.raises(ImageError) as here:
            images.read_photo(content, "../a\n.png", max_pixels=7000)
        with pytest.raises(ImageError) as there:
            decoder.read_photo(content, "../a\n.png", max_pixels=7000)
        assert str(there.value) == str(here.value)


def test_one_process_reads_one_after_another(decoder):
    decoder.read_photo(encoded(), "x")
    (worker,) = decoder._idle
    for _ in range(3):
        decoder.read_photo(encoded("JPEG"), "x")
    assert decoder._idle == [worker] and worker.photos == 4


def test_a_process_killed_while_idle_fails_nobody(decoder):
    decoder.read_photo(encoded(), "x")
    process = decoder._idle[0].process
    process.kill()
    assert decoder.read_photo(encoded(), "x").rgb.shape == (20, 30, 3)
    process.wait()


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("time.sleep(600)", "'bad' takes too long to decode."),
        ("os.kill(os.getpid(), signal.SIGSTOP)", "'bad' takes too long to decode."),
        ("while True: pass", "'bad' takes too long to decode."),
        ("bytearray(500_000_000)", "'bad' is damaged: decoding it fails."),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "'bad' is damaged: decoding it fails."),
        ("os.write(1, b'{}')", ""),  # stdout is not where answers go
        ("open('/etc/hostname')", "'bad' is damaged: decoding it fails."),
        ("os.system('true') and sys.exit(3)", "'bad' is damaged: decoding it fails."),
    ],
)
def test_whatever_a_decoder_does_is_a_sentence_and_the_next_is_read(
    misbehaving, statement, sentence, capfd
):
    decoder = misbehaving(statement, wall_s=2.5)
    if sentence:
        with pytest.raises(ImageError) as caught:
            decoder.read_photo(encoded(), "bad")
        assert str(caught.value) == sentence
    else:
        decoder.read_photo(encoded(), "bad")
    assert decoder.read_photo(encoded(), "good").rgb.shape == (20, 30, 3)
    capfd.readouterr()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no JSON",
        "[]",
        '{"height": -2, "width": -2, "note": ""}',
        '{"height": 1e9, "width": 1, "note": ""}',
        '{"height": 99999, "width": 99999, "note": ""}',
        '{"height": 5, "width": 5, "note": ""}',  # and no pixels
        "[" * 15_000,
    ],
)
def test_a_process_taken_over_gains_nothing(answer):
    program = (
        f"import sys; print('ready', flush=True); sys.stdin.buffer.readline(); print({answer!r})"
    )
    with pytest.raises(ImageError, match="decoding it fails"):
        Decoder(1, 20, [sys.executable, "-c", program]).read_photo(encoded(), "x")


@pytest.mark.parametrize("statement", ["raise SystemExit(1)", "import no_such_module", "print(1)"])
def test_a_decoder_that_cannot_start_is_no_fault_of_the_picture(statement, capfd):
    with pytest.raises(ImageError) as caught:
        Decoder(1, 20, [sys.executable, "-c", statement]).read_photo(encoded(), "x")
    assert str(caught.value) == "'x' cannot be decoded now: the decoder could not start."
    capfd.readouterr()


def test_a_slow_start_is_no_fault_of_the_picture():
    late = "import time; time.sleep(3); from fervt.sandbox import child; child.main()"
    decoder = Decoder(1, 2.5, [sys.executable, "-c", late])
    assert decoder.read_photo(encoded(), "x").rgb.shape == (20, 30, 3)
    decoder.close()


def test_a_process_that_cannot_be_started_is_a_sentence(tmp_path):
    with pytest.raises(ImageError, match="cannot be decoded now: the server is busy"):
        Decoder(1, 20, [str(tmp_path / "no program")]).read_photo(encoded(), "x")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux widens pipes")
def test_pictures_are_read_when_the_budget_for_pipes_is_spent(decoder, monkeypatch):
    import fcntl

    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    assert decoder.read_photo(encoded(), "x").rgb.shape == (20, 30, 3)


def test_modules_are_found_where_the_server_finds_them(monkeypatch, tmp_path):
    (tmp_path / "far_away.py").write_text("from fervt.sandbox.child import main")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    decoder = Decoder(1, 20, [sys.executable, "-c", "import far_away; far_away.main()"])
    assert decoder.read_photo(encoded(), "x").rgb.shape == (20, 30, 3)
    decoder.close()


def test_threads_wait_for_each_other(decoder):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(decoder.read_photo(encoded(), "x").rgb))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 6 and len(decoder._idle) == 1


def test_no_key_of_the_operator_goes_along(monkeypatch):
    monkeypatch.setenv("FERVT_API_KEY", "s3cret")
    assert "s3cret" not in hide_environment().values()


def test_it_imports_no_torch_and_ends_with_its_parent():
    program = "import fervt.sandbox.child, sys; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert said.stdout.strip() == b"False"
    parent = (
        "from tests.sandbox.test_decoder import *; from fervt.sandbox.decoder import _shared as d;"
        "d.read_photo(encoded(), 'x');"
        "print(d._idle[0].process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL
    pid = int(ended.stdout)
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        threading.Event().wait(0.05)
    pytest.fail("the process outlived its parent")
