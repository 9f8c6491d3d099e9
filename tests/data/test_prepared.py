import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fervt.data.prepared import PreparedData, read_prepared, write_prepared
from fervt.errors import DataError
from fervt.labels import FERPLUS


@pytest.fixture
def data(faces) -> PreparedData:
    return PreparedData.from_rows(
        images=faces.images,
        row=np.arange(100, 100 + len(faces.usage)),
        usage=np.array(faces.usage),
        label_fer2013=np.array(faces.label),
        votes=faces.votes,
        split_rule="as drawn",
        source="drawn.csv",
    )


def test_copies_are_found_across_splits_and_a_training_row_is_never_one(data):
    assert data.row[data.is_copy].tolist() == [115, 122, 124]
    assert data.other_splits[[2, 3, 4, 15, 17, 22, 24]].tolist() == [
        "PublicTest",
        "PrivateTest",
        "",
        "Training",
        "PrivateTest",
        "Training",
        "PublicTest",
    ]


def test_a_written_file_reads_back_to_the_last_pixel(data, tmp_path):
    written = write_prepared(data, tmp_path / "new" / "a.parquet")
    read = read_prepared(tmp_path / "new" / "a.parquet")
    for name in ("images", "row", "usage", "label_fer2013", "votes", "sha256", "other_splits"):
        np.testing.assert_array_equal(getattr(read, name), getattr(data, name))
        assert getattr(read, name).dtype.kind == getattr(data, name).dtype.kind
    assert (read.content_hash, read.split_rule, read.source) == (
        written.content_hash,
        "as drawn",
        "drawn.csv",
    )
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.parquet"]


def test_a_file_without_training_still_knows_its_copies(data, tmp_path):
    write_prepared(data.select(data.usage != "Training"), tmp_path / "test.parquet")
    read = read_prepared(tmp_path / "test.parquet")
    assert len(read) == 13
    assert read.row[read.is_copy].tolist() == [115, 122, 124]


def test_only_the_splits_that_are_asked_for_are_read(data, tmp_path):
    write_prepared(data, tmp_path / "a.parquet")
    read = read_prepared(tmp_path / "a.parquet", ["PublicTest"])
    assert len(read) == 7
    np.testing.assert_array_equal(read.images, data.images[14:21])
    assert read.content_hash == data.content_hash
    part = write_prepared(read, tmp_path / "b.parquet")
    assert part.content_hash != data.content_hash
    with pytest.raises(DataError, match=r"b\.parquet has no PrivateTest rows; it has PublicTest"):
        read_prepared(tmp_path / "b.parquet", ["PublicTest", "PrivateTest"])


def test_split_and_select(data):
    assert len(data.split("PrivateTest")) == 6
    assert data.select(np.array([5, 1])).row.tolist() == [105, 101]
    with pytest.raises(DataError, match=r"drawn\.csv has no PublicTest rows; it has Training"):
        data.split("Training").split("PublicTest")


def test_the_content_hash_follows_labels_votes_and_splits(data, faces):
    columns = {
        "usage": np.array(faces.usage),
        "label_fer2013": np.array(faces.label),
        "votes": faces.votes,
        "images": faces.images,
    }
    hashes = {data.content_hash}
    for name, values in columns.items():
        changed = values.copy()
        changed[6] = changed[20]
        rows = {**columns, name: changed, "row": data.row, "split_rule": "", "source": ""}
        hashes.add(PreparedData.from_rows(**rows).content_hash)
    assert len(hashes) == 4 + (data.label_fer2013[6] != data.label_fer2013[20])


def test_ferplus_majority_drops_single_votes_and_wants_more_than_half(faces):
    votes = np.array(
        [
            [0, 0, 4, 1, 1, 1, 1, 1, 1, 0],  # 4 of 4 once the single votes are gone
            [5, 5, 0, 0, 0, 0, 0, 0, 0, 0],  # a tie
            [4, 2, 2, 0, 0, 0, 0, 0, 0, 0],  # exactly half
            [5, 2, 2, 0, 0, 0, 0, 0, 0, 1],  # 5 of 9
            [0, 0, 0, 0, 0, 2, 0, 0, 8, 0],  # unknown
            [1, 0, 0, 0, 0, 0, 0, 0, 0, 9],  # not a face
            [0] * 10,
            [0, 0, 0, 0, 0, 0, 0, 6, 2, 2],  # contempt, beside votes that are no expressions
        ],
        np.uint8,
    )
    n = len(votes)
    data = PreparedData.from_rows(
        faces.images[:n], np.arange(n), np.array(["Training"] * n), np.zeros(n, int), votes, "", ""
    )
    assert data.label_ferplus.tolist() == [2, -1, -1, 0, -1, -1, -1, 7]
    shares = data.ferplus_distribution
    assert shares.shape == (n, len(FERPLUS)) and shares.dtype == np.float32
    np.testing.assert_allclose(shares[3], np.array([5, 2, 2, 0, 0, 0, 0, 0]) / 9, rtol=1e-6)
    np.testing.assert_allclose(shares.sum(axis=1), data.label_ferplus >= 0, rtol=1e-6)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"some text\n" * 40])
def test_what_is_no_prepared_file_is_refused(content, tmp_path):
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.parquet is not a prepared file"):
        read_prepared(tmp_path / "x.parquet")


def test_missing_and_foreign_files_are_refused(data, tmp_path):
    with pytest.raises(DataError, match=r"none\.parquet does not exist"):
        read_prepared(tmp_path / "none.parquet")
    pq.write_table(pa.table({"row": [1, 2]}), tmp_path / "foreign.parquet")
    with pytest.raises(DataError, match=r"foreign\.parquet is not a prepared file"):
        read_prepared(tmp_path / "foreign.parquet")
    write_prepared(data, tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "short.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"short\.parquet is not a prepared file"):
        read_prepared(tmp_path / "short.parquet")


@pytest.mark.parametrize("column", ["image", "label_fer2013", "usage", "sha256"])
def test_a_changed_cell_is_noticed(data, tmp_path, column):
    path = tmp_path / "a.parquet"
    write_prepared(data, path)
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[0] = values[20]
    i = table.column_names.index(column)
    pq.write_table(table.set_column(i, table.field(i), pa.array(values, table.field(i).type)), path)
    with pytest.raises(DataError, match=r"a\.parquet is damaged"):
        read_prepared(path)


def test_a_folder_in_the_way_is_named_and_nothing_is_left_beside_it(data, tmp_path):
    (tmp_path / "a.parquet").mkdir()
    with pytest.raises(DataError, match=r"a\.parquet cannot be written"):
        write_prepared(data, tmp_path / "a.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]
