import csv

import numpy as np
import pytest

from fervt.__main__ import main
from fervt.data.prepared import read_prepared
from fervt.labels import SPLITS, VOTE_NAMES


@pytest.fixture
def source(tmp_path):
    """A CSV of 15 + 9 + 8 faces, the first of each test split a copy of one in Training."""
    rng = np.random.default_rng(1)
    usage = [SPLITS[0]] * 15 + [SPLITS[1]] * 9 + [SPLITS[2]] * 8
    images = rng.integers(0, 256, (len(usage), 48 * 48))
    images[15], images[24] = images[0], images[1]
    with (tmp_path / "fer2013.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for i, image in enumerate(images):
            writer.writerow([i % 7, " ".join(map(str, image)), usage[i]])
    with (tmp_path / "fer2013new.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Usage", "Image name", *VOTE_NAMES])
        for i, split in enumerate(usage):
            writer.writerow([split, f"fer{i:07d}.png", 3 + i % 2 * 5, 3, 1, *[0] * 7])
    return tmp_path / "fer2013.csv"


def test_prepare_writes_the_file_and_tells_what_it_found(source, tmp_path, capsys):
    out = tmp_path / "out.parquet"
    ferplus = tmp_path / "fer2013new.csv"
    assert main(["prepare", str(source), "--ferplus", str(ferplus), "--out", str(out)]) == 0
    data = read_prepared(out)
    assert [len(data.split(name)) for name in SPLITS] == [15, 9, 8]

    printed, bars = capsys.readouterr()
    table = [line.split() for line in printed.splitlines()]
    assert ["angry", "3", "1", "1", "5"] in table
    assert ["total", "15", "9", "8", "32"] in table
    assert "PublicTest: 0 within, 1 of Training" in printed
    assert "PrivateTest: 0 within, 1 of Training, 0 of PublicTest, 1 of either" in printed
    assert "FER+ majority: 7 Training, 5 PublicTest, 4 PrivateTest" in printed
    assert data.content_hash in printed and "MB" in printed
    assert "Reading" in bars and "Compressing" in bars


def test_prepare_keeps_only_the_splits_that_are_asked_for(source, tmp_path, capsys):
    out = tmp_path / "out.parquet"
    assert main(["prepare", str(source), "--out", str(out), "--splits", "PrivateTest"]) == 0
    data = read_prepared(out)
    assert set(data.usage) == {"PrivateTest"}
    assert data.is_copy.tolist() == [True] + [False] * 7
    assert "FER+" not in capsys.readouterr().out


def test_an_empty_split_is_refused_unless_it_is_left_out(source, tmp_path, capsys):
    lines = [line for line in source.read_text().splitlines() if "PublicTest" not in line]
    source.write_text("\n".join(lines))
    arguments = ["prepare", str(source), "--out", str(tmp_path / "out.parquet")]
    assert main(arguments) == 2
    assert "fer2013.csv has no PublicTest rows" in capsys.readouterr().err
    assert main([*arguments, "--splits", "Training,PrivateTest"]) == 0


@pytest.mark.parametrize(
    ("out", "splits", "message"),
    [
        ("out.parquet", "Training,Test", "--splits: 'Test' is none of Training"),
        ("fer2013.csv", "Training", "would overwrite the source"),
        (".", "Training", "is a folder"),
    ],
)
def test_wrong_options_are_one_line(source, tmp_path, capsys, out, splits, message):
    arguments = ["prepare", str(source), "--out", str(tmp_path / out), "--splits", splits]
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("fervt: ") and err.count("\n") == 1 and message in err


def test_bad_input_ends_with_its_sentence_and_writes_nothing(source, tmp_path, capsys):
    text = source.read_text().splitlines()
    source.write_text("\n".join([*text[:20], "3,1 2 3,PublicTest", *text[21:]]))
    before = sorted(tmp_path.iterdir())
    assert main(["prepare", str(source), "--out", str(tmp_path / "new" / "out.parquet")]) == 2
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line.startswith("fervt: ")
    assert last_line.endswith("fer2013.csv, row 20 has 3 pixels instead of 2304.")
    assert sorted(tmp_path.iterdir()) == before
