"""Tables that would fill the memory are refused by their footer, before a page is unpacked."""

from io import BytesIO

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fervt.data.parquet import BROKEN, MAX_ROWS
from fervt.data.prepared import PreparedData, count_splits, read_prepared, write_prepared
from fervt.data.sources import read_source
from fervt.errors import DataError


@pytest.fixture
def table(tmp_path) -> pa.Table:
    random = np.random.default_rng(0)
    data = PreparedData.from_rows(
        images=random.integers(0, 255, (9, 48, 48), dtype=np.uint8),
        row=np.arange(9),
        usage=np.array(["Training", "PublicTest", "PrivateTest"] * 3),
        label_fer2013=np.arange(9) % 7,
        votes=np.full((9, 10), 2, np.uint8),
        split_rule="as drawn",
        source="drawn",
    )
    write_prepared(data, tmp_path / "a.parquet")
    return pq.read_table(tmp_path / "a.parquet")


def content(table: pa.Table) -> bytes:
    file = BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def with_column(table: pa.Table, name: str, values: list) -> pa.Table:
    at = table.column_names.index(name)
    field = table.schema.field(name)
    return table.set_column(at, field, pa.array(values, field.type))


def png(width: int, height: int) -> bytes:
    return cv2.imencode(".png", np.zeros((height, width), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image", bytes(20_000_000)),
        ("usage", "Training" * 1_000_000),
        ("other_splits", "x" * 4_000_000),
    ],
)
def test_one_value_that_every_row_repeats(table, name, value):
    bomb = content(with_column(table, name, [value] * len(table)))
    assert len(bomb) < 100_000
    for read in (read_prepared, count_splits):
        with pytest.raises(DataError, match="column"):
            read(bomb)


def test_a_value_within_the_size_of_its_column_and_too_long_all_the_same(table):
    for name in ("usage", "other_splits"):
        bomb = content(with_column(table, name, ["x" * 5_000] * len(table)))
        with pytest.raises(DataError, match="damaged"):
            read_prepared(bomb)


def test_millions_of_rows(table):
    table = with_column(table, "image", [b""] * len(table))
    rows = pa.array(np.zeros(MAX_ROWS + 1, np.int64))
    with pytest.raises(DataError, match=r"1,000,001 rows; up to 1,000,000"):
        read_prepared(content(table.take(rows)))


@pytest.mark.parametrize(
    "image", [png(3_000, 3_000), png(48, 48), b"", b"RIFF", b"RIFF....WEBPVP8L....\x2f\xff\xff"]
)
def test_only_a_small_lossless_webp_is_decoded(table, image, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(DataError, match="damaged"):
        read_prepared(content(with_column(table, "image", [image] * len(table))))


@pytest.mark.parametrize("about", [b"[" * 50_000, b"9" * 10_000, b"\xff", b"null", b"[]"])
def test_metadata_that_is_no_metadata(table, about):
    bomb = content(table.replace_schema_metadata({b"fervt.prepared": about}))
    for read in (read_prepared, count_splits):
        with pytest.raises(DataError, match="not a prepared file"):
            read(bomb)


def test_a_source_is_judged_too(tmp_path):
    table = pa.table({"usage": ["Training"], "emotion": [0], "image": [bytes(30_000_000)]})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    with pytest.raises(DataError, match="column 'image' would take"):
        read_source(tmp_path / "a.parquet")


def test_a_lack_of_memory_is_no_damage() -> None:
    assert not issubclass(pa.lib.ArrowMemoryError, BROKEN)
    for name in dir(pa.lib):
        kind = getattr(pa.lib, name)
        if isinstance(kind, type) and issubclass(kind, pa.ArrowException):
            known = kind in (pa.ArrowException, pa.lib.ArrowMemoryError, pa.lib.ArrowCancelled)
            assert known or issubclass(kind, BROKEN), name
