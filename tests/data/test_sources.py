import hashlib
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fervt.data.sources import read_source
from fervt.errors import DataError
from fervt.labels import FER2013, FERPLUS, SPLITS, VOTE_NAMES

VOTE_COLUMNS = [f"votes_{name}" for name in VOTE_NAMES]


def png(image: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def parquet(faces, path, drop=(), **columns):
    table = {
        "usage": pa.array(faces.usage).dictionary_encode(),
        "emotion": pa.array(faces.label, pa.uint8()),
        "image": [png(image) for image in faces.images],
        **dict(zip(VOTE_COLUMNS, faces.votes.T, strict=True)),
        **columns,
    }
    pq.write_table(pa.table({k: v for k, v in table.items() if k not in drop}), path)
    return path


def assert_holds(data, faces):
    np.testing.assert_array_equal(data.images, faces.images)
    assert data.usage.tolist() == faces.usage
    assert data.label_fer2013.tolist() == faces.label
    assert data.row.tolist() == list(range(len(faces.usage)))


def test_all_three_shapes_hold_the_same(faces, tmp_path):
    ferplus = faces.write_ferplus(tmp_path / "fer2013new.csv")
    found = [
        read_source(faces.write_csv(tmp_path / "fer2013.csv"), ferplus),
        read_source(faces.write_folder(tmp_path / "folder"), ferplus),
        read_source(parquet(faces, tmp_path / "a.parquet")),
        read_source(parquet(faces, tmp_path / "b.parquet", drop=VOTE_COLUMNS), ferplus),
    ]
    for data, notes in found:
        assert_holds(data, faces)
        np.testing.assert_array_equal(data.votes, faces.votes)
        assert notes == ()
    assert len({data.content_hash for data, _ in found}) == 1


def test_column_names_may_carry_spaces_and_stand_in_any_order(faces, tmp_path):
    plain = faces.write_csv(tmp_path / "fer2013.csv")
    spaced = tmp_path / "icml_face_data.csv"
    lines = [line.split(",") for line in plain.read_text().splitlines()]
    lines[0] = ["emotion", " pixels", " Usage"]
    spaced.write_text(
        "\ufeff" + "\n".join(",".join((e, u, p)) for e, p, u in lines) + "\n\n", encoding="utf-8"
    )
    data, _ = read_source(spaced)
    assert_holds(data, faces)
    assert not data.votes.any()


def cell(row, column, value):
    def edit(lines):
        lines[row][column] = value

    return edit


def cut_last(lines):
    lines.pop()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (cell(4, 1, "1 2 3"), "row 5 has 3 pixels instead of 2304"),
        (cell(4, 1, " ".join(["256"] * 2304)), r"row 5 has a pixel .* 0\.\.255"),
        (cell(4, 1, " ".join(["-1"] * 2304)), r"row 5 has a pixel .* 0\.\.255"),
        (cell(4, 1, " ".join(["0.5"] * 2304)), r"row 5 has a pixel .* 0\.\.255"),
        (cell(6, 0, "7"), "row 7 has emotion '7'.*0 angry, 1 disgust"),
        (cell(6, 0, "joyful"), "row 7 has emotion 'joyful'"),
        (cell(6, 0, ""), "row 7 has emotion ''"),
        (cell(8, 2, "Later"), "row 9 has Usage 'Later'"),
        (lambda lines: lines[2].pop(), "row 3 has 2 columns, but the header has 3"),
        (cell(0, 1, "1" * 200_000), "cannot be read as a CSV"),
        (lambda lines: lines.clear(), "contains no images"),
    ],
)
def test_a_bad_csv_is_refused_by_row(faces, tmp_path, edit, message):
    path = faces.write_csv(tmp_path / "bad.csv", edit=edit)
    with pytest.raises(DataError, match=rf"bad\.csv.*{message}"):
        read_source(path)


def test_missing_columns_and_other_files_are_refused(faces, tmp_path):
    path = faces.write_csv(tmp_path / "bad.csv", names=("emotion", "pixel", "use"))
    with pytest.raises(DataError, match=r"bad\.csv lacks the columns pixels, Usage\."):
        read_source(path)
    for content in (b"", b"\xff\xfe\x00\x01", png(faces.images[0])):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.csv"):
            read_source(path)
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"a\.zip is neither"):
        read_source(tmp_path / "a.zip")
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        read_source(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (cut_last, "has 26 rows and .*fer2013.csv has 27"),
        (cell(3, 0, "PublicTest"), "row 4 is PublicTest but .* is Training"),
        (cell(3, 4, "many"), "row 4 has a vote"),
        (cell(3, 4, "300"), "row 4 has a vote"),
        (cell(3, 4, ""), "row 4 has a vote"),
    ],
)
def test_votes_of_other_images_are_refused(faces, tmp_path, edit, message):
    ferplus = faces.write_ferplus(tmp_path / "new.csv", edit)
    with pytest.raises(DataError, match=rf"new\.csv.* {message}"):
        read_source(faces.write_csv(tmp_path / "fer2013.csv"), ferplus)


def test_votes_join_a_part_of_the_folder_by_the_number_in_its_names(faces, tmp_path):
    root = faces.write_folder(tmp_path / "folder")
    next(root.rglob("Training_00003.png")).unlink()
    ferplus = faces.write_ferplus(tmp_path / "new.csv")
    data, _ = read_source(root, ferplus)
    kept = [i for i in range(27) if i != 3]
    assert data.row.tolist() == kept
    np.testing.assert_array_equal(data.votes, faces.votes[kept])

    short = faces.write_ferplus(tmp_path / "short.csv", cut_last)
    with pytest.raises(DataError, match=r"short\.csv has 26 rows, so the image number 26"):
        read_source(root, short)
    file = next(root.rglob("Training_00004.png"))
    file.rename(file.with_name("face.png"))
    with pytest.raises(DataError, match=r"new\.csv cannot be joined"):
        read_source(root, ferplus)


def huggingface(faces, path, names=FER2013.classes, usage=False, label="label"):
    image = [{"bytes": png(image), "path": None} for image in faces.images]
    columns = {"image": image, label: pa.array(faces.label)}
    if usage:
        columns["usage"] = faces.usage
    features = {label: {"names": list(names), "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)
    return path


@pytest.mark.parametrize("label", ["label", "emotion"])
def test_the_names_of_a_schema_count_whatever_the_column_is_called(faces, tmp_path, label):
    names, right = sorted(FER2013.classes), faces.label
    faces.label = [names.index(FER2013.classes[i]) for i in right]
    (tmp_path / "train").mkdir()
    data, _ = read_source(huggingface(faces, tmp_path / "train" / "0.parquet", names, label=label))
    assert data.label_fer2013.tolist() == right
    assert set(data.usage) == {"Training"}


def test_labels_may_be_names(faces, tmp_path):
    right = faces.label
    faces.label = [FER2013.classes[i].title() for i in right]
    data, _ = read_source(huggingface(faces, tmp_path / "test-0.parquet"))
    assert data.label_fer2013.tolist() == right


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["", "sep={}\n", '"SEP={}"\n'])
def test_a_csv_that_a_spreadsheet_wrote_is_read(faces, tmp_path, encoding, delimiter, first):
    plain = faces.write_csv(tmp_path / "fer2013.csv")
    rows = plain.read_text().replace(",", delimiter).replace("Training", "train")
    rows = first.format(delimiter) + rows
    other = tmp_path / "sheet.csv"
    other.write_bytes(rows.replace("\n", "\r\n").encode(encoding))
    first, second = read_source(plain).data, read_source(other).data
    assert (first.images == second.images).all()
    assert first.usage.tolist() == second.usage.tolist()
    assert first.label_fer2013.tolist() == second.label_fer2013.tolist()


def test_any_separator_that_a_file_names_is_used(faces, tmp_path):
    plain = faces.write_csv(tmp_path / "fer2013.csv")
    other = tmp_path / "sheet.csv"
    other.write_text("sep=|\n" + plain.read_text().replace(",", "|"))
    assert (read_source(plain).data.images == read_source(other).data.images).all()


def test_what_is_no_image_in_a_folder_is_left_out_and_named(faces, tmp_path):
    root = faces.write_folder(tmp_path / "faces")
    for path in ("notes.txt", "train/happy/more.txt", "train/all.zip", "test/sad/.DS_Store"):
        (root / path).write_bytes(b"x")
    source = read_source(root)
    assert len(source.data) == len(faces.label)
    assert source.notes == ("Left out: 3 files (2 .txt, 1 .zip).",)


@pytest.mark.parametrize("label", ["label", "labels"])
def test_parquet_of_huggingface_is_read(faces, tmp_path, label):
    data, _ = read_source(huggingface(faces, tmp_path / "x.parquet", usage=True, label=label))
    assert_holds(data, faces)
    by_name = huggingface(faces, tmp_path / "test-00000-of-00001.parquet")
    assert set(read_source(by_name).data.usage) == {"PrivateTest"}
    with pytest.raises(DataError, match="its name must say train, validation or test"):
        read_source(huggingface(faces, tmp_path / "faces.parquet"))


def test_the_names_of_the_schema_decide_and_not_the_numbers(faces, tmp_path):
    alphabetical = sorted(FER2013.classes)
    faces.label = [alphabetical.index(FER2013.classes[i]) for i in faces.label]
    data, _ = read_source(huggingface(faces, tmp_path / "x.parquet", alphabetical, usage=True))
    named = [alphabetical[i] for i in faces.label]
    assert [FER2013.classes[i] for i in data.label_fer2013] == named
    other = huggingface(faces, tmp_path / "y.parquet", [*"abcdefg"], usage=True)
    with pytest.raises(DataError, match="has classes that are not FER2013's"):
        read_source(other)


def test_folders_may_lie_in_a_folder_and_be_named_as_in_the_big_sets(faces, tmp_path):
    root = faces.write_folder(tmp_path / "in" / "images")
    assert_holds(read_source(tmp_path / "in").data, faces)
    (root / "train").rename(root / "Training")
    (root / "test").rename(root / "PrivateTest")
    assert_holds(read_source(root).data, faces)


def test_a_csv_may_name_its_classes(faces, tmp_path):
    def name(lines):
        for line in lines:
            line[0] = FER2013.classes[int(line[0])].upper()

    assert_holds(read_source(faces.write_csv(tmp_path / "fer2013.csv", edit=name)).data, faces)


def test_class_folders_are_known_in_any_case_and_by_their_usual_names(faces, tmp_path):
    names = ("Anger", "DISGUSTED", "Fearful", "happiness", "Sadness", "Surprised", "Neutral")
    root = faces.write_folder(tmp_path / "folder", classes=names)
    (root / "train" / ".DS_Store").write_bytes(b"litter")
    (root / "README.txt").write_text("where it is from")
    assert_holds(read_source(root).data, faces)


def test_a_folder_of_train_and_test_gets_a_fixed_stratified_validation_split(faces, tmp_path):
    rng = np.random.default_rng(8)
    n, per_class = 7 * 20, 20
    faces.images = rng.integers(0, 256, (n + 14, 48, 48), dtype=np.uint8)
    faces.images[:n:2] = faces.images[1:n:2]  # every image twice, under neighboring labels
    faces.label = [i // 2 % 7 for i in range(n)] + [i % 7 for i in range(14)]
    faces.usage = ["Training"] * n + ["PrivateTest"] * 14
    first, _ = read_source(faces.write_folder(tmp_path / "one", name="{row:03d}.png"))
    again, _ = read_source(faces.write_folder(tmp_path / "two", name="x{row}.png"))

    held_out = first.split("PublicTest")
    # One in ten of the ten different images of a class, with its copy.
    assert np.bincount(held_out.label_fer2013).tolist() == [2] * 7
    assert len(first.split("Training")) == 7 * (per_class - 2)
    assert len(first.split("PrivateTest")) == 14
    assert not first.is_copy.any()
    assert set(held_out.sha256) == set(again.split("PublicTest").sha256)
    assert "10%" in first.split_rule and "seed 2013" in first.split_rule


def test_a_validation_folder_is_public_test(faces, tmp_path):
    root = faces.write_folder(tmp_path / "folder", name="{row}.png")
    (root / "Validation" / "sad").mkdir(parents=True)
    Image.fromarray(faces.images[0]).save(root / "Validation" / "sad" / "a.png")
    data, _ = read_source(root)
    assert data.split("PublicTest").label_fer2013.tolist() == [FER2013.classes.index("sad")]
    assert len(data.split("Training")) == 14


def test_other_sizes_and_colors_become_gray_48_by_area_and_are_counted(faces, tmp_path):
    root = faces.write_folder(tmp_path / "folder")
    large = faces.images[0].repeat(2, axis=0).repeat(3, axis=1)
    Image.fromarray(large).save(next(root.rglob("Training_00000.png")))
    gray_as_rgb = np.stack([faces.images[1]] * 3, axis=-1)
    Image.fromarray(gray_as_rgb).save(next(root.rglob("Training_00001.png")))
    red = np.zeros((48, 48, 3), np.uint8)
    red[..., 0] = 200
    Image.fromarray(red).save(next(root.rglob("Training_00002.png")))
    data, notes = read_source(root)
    np.testing.assert_array_equal(data.images[:2], faces.images[:2])
    assert np.unique(data.images[2]).tolist() == [round(0.299 * 200)]
    assert len(notes) == 1 and notes[0].startswith("2 images were in color or of another size")


def add_unknown_class(root):
    (root / "train" / "contempt").mkdir()


def add_unknown_split(root):
    (root / "extra").mkdir()


def drop_test(root):
    (root / "test").rename(root / ".test")


def write_text_as_image(root):
    next(root.rglob("Training_00006.png")).write_text("no picture")


def cut_image(root):
    file = next(root.rglob("Training_00006.png"))
    file.write_bytes(file.read_bytes()[:200])


def name_against_folder(root):
    file = next(root.rglob("Training_00006.png"))
    file.rename(file.with_name("PublicTest_00006.png"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (add_unknown_class, "contempt is not a folder of a FER2013 class"),
        (add_unknown_split, "extra is not expected"),
        (drop_test, "folder has no folder named test"),
        (write_text_as_image, r"neutral: 'Training_00006\.png' is not an image"),
        (cut_image, r"neutral: 'Training_00006\.png' is damaged"),
        (name_against_folder, r"PublicTest_00006\.png is named as PublicTest"),
    ],
)
def test_a_bad_folder_is_refused_by_name(faces, tmp_path, damage, message):
    root = faces.write_folder(tmp_path / "folder")
    damage(root)
    with pytest.raises(DataError, match=message):
        read_source(root)


def test_an_empty_folder_is_refused(tmp_path):
    for name in ("train", "test"):
        (tmp_path / "folder" / name / "sad").mkdir(parents=True)
    with pytest.raises(DataError, match="folder contains no images"):
        read_source(tmp_path / "folder")


def test_a_bad_parquet_is_refused_by_row(faces, tmp_path):
    path = tmp_path / "a.parquet"
    images = [png(image) for image in faces.images]
    cases = [
        ({"drop": ["emotion"]}, "lacks the column emotion"),
        ({"drop": ["votes_fear"]}, "lacks the column votes_fear"),
        ({"emotion": pa.array([*faces.label[:-1], 9])}, "row 27 has emotion '9'"),
        ({"emotion": pa.array([0.5] * 27)}, r"row 1 has emotion '0\.5'"),
        ({"usage": ["Later", *faces.usage[1:]]}, "row 1 has Usage 'Later'"),
        ({"image": [*images[:5], b"no", *images[6:]]}, "'row 6' is not an image"),
        ({"image": [*images[:5], None, *images[6:]]}, "row 6 has no image"),
        ({"votes_NF": pa.array([2.5] * 27)}, "row 1 has a vote"),
        ({"votes_NF": pa.array([None] * 27, pa.uint8())}, "row 1 has a vote"),
    ]
    for columns, message in cases:
        with pytest.raises(DataError, match=rf"a\.parquet.*{message}"):
            read_source(parquet(faces, path, **columns))
    path.write_bytes(b"PAR1 and nothing")
    with pytest.raises(DataError, match=r"a\.parquet cannot be read as a Parquet file"):
        read_source(path)


def test_classes_in_alphabetical_order_are_refused(faces, tmp_path):
    """The votes give away that the labels were numbered as an image folder does."""
    copies = 12
    true_class = np.repeat(np.arange(7), copies)
    faces.images = np.stack([np.full((48, 48), i, np.uint8) for i in range(len(true_class))])
    faces.usage = [SPLITS[i % 3] for i in range(len(true_class))]
    counterparts = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    faces.votes = np.zeros((len(true_class), 10), np.uint8)
    columns = [FERPLUS.classes.index(counterparts[c]) for c in true_class]
    faces.votes[np.arange(len(columns)), columns] = 8

    faces.label = true_class.tolist()
    read_source(parquet(faces, tmp_path / "right.parquet"))
    alphabetical = sorted(FER2013.classes)
    faces.label = [alphabetical.index(FER2013.classes[c]) for c in true_class]
    with pytest.raises(DataError, match=r"wrong\.parquet does not number its classes"):
        read_source(parquet(faces, tmp_path / "wrong.parquet"))


def test_the_class_sizes_of_fer2013_under_other_numbers_are_refused(tmp_path):
    image = png(np.zeros((48, 48), np.uint8))
    sizes = [3995, 436, 4097, 7215, 4965, 4830, 3171]  # alphabetical: neutral before sad
    label = np.repeat(np.arange(7), sizes)
    table = {"usage": ["Training"] * len(label), "emotion": label, "image": [image] * len(label)}
    pq.write_table(pa.table(table), tmp_path / "wrong.parquet")
    with pytest.raises(DataError, match=r"wrong\.parquet does not number its classes"):
        read_source(tmp_path / "wrong.parquet")


def test_a_row_hash_is_the_hash_of_its_pixels(faces, tmp_path):
    data, _ = read_source(faces.write_csv(tmp_path / "fer2013.csv"))
    assert data.sha256[9] == hashlib.sha256(faces.images[9].tobytes()).hexdigest()
