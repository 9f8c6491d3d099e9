"""What there is to read: every image once, in the order of names, whatever the source."""

import os
import zipfile
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zips

from fervt.data.folders import list_images, walk
from fervt.errors import DataError, ImageError
from fervt.pipeline import named_images, parquet_rows, plan, plan_chunks
from fervt.pipeline.parquet_rows import read_parquet
from fervt.pipeline.plan import open_parquet, open_zip

PICTURES = [zips.png(np.full((4, 5, 3), value, np.uint8)) for value in range(7)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr(plan, "CHUNK_IMAGES", 3)


def read(*paths: Path, base: str = "") -> tuple[list[tuple[str, int]], list[str], list[int]]:
    """Names and gray values of all images, what is said, and the chunks' sizes."""
    said: list[str] = []
    chunks = list(plan_chunks(paths, said))
    images = [image for chunk in chunks for image in named_images(chunk, base)]
    return [(name, int(load().rgb[0, 0, 0])) for name, load in images], said, list(map(len, chunks))


def test_a_folder_is_walked_in_the_order_of_paths(tmp_path) -> None:
    for name in ("b/z.png", "b.png", "b/a/x.PNG", "a.png", "b0/q.jpg", ".git/h.png", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(PICTURES[1])
    (tmp_path / "link").symlink_to(tmp_path / "b")
    images, said, sizes = read(tmp_path)
    names = [Path(name) for name, _ in images]
    assert names == sorted(names)
    assert [str(name.relative_to(tmp_path)) for name in names] == [
        *("a.png", "b/a/x.PNG", "b/z.png", "b.png", "b0/q.jpg")
    ]
    links = f"Left out: links to folders ('{tmp_path}/link')."
    assert said == ["Left out: 1 file (1 .txt).", links] and sizes == [3, 2]
    assert list_images(tmp_path)[0] == names
    with pytest.raises(DataError, match=r"gone' cannot be read: No such file"):
        list(walk(tmp_path / "gone"))


def test_a_list_starts_where_it_lies(tmp_path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.png").write_bytes(PICTURES[1])
    odd = os.fsencode(tmp_path) + b"/caf\xe9 .png"
    Path(os.fsdecode(odd)).write_bytes(PICTURES[2])
    listed = tmp_path / "list.txt"
    listed.write_bytes(b"\xef\xbb\xbfdeep/one.png\r\n\n" + odd + b"\n")
    images, _, _ = read(listed)
    assert images == [(f"{tmp_path}/deep/one.png", 1), (f"{tmp_path}/caf? .png", 2)]


@pytest.mark.parametrize("groups", [2, 5, 7])
@pytest.mark.parametrize("nested", [False, True])
def test_a_table_of_images_is_read_by_rows(tmp_path, groups, nested) -> None:
    cells = [*PICTURES[:3], None, *PICTURES[4:]]
    column = [{"bytes": cell, "path": None} for cell in cells] if nested else cells
    file = tmp_path / "faces.parquet"
    pq.write_table(pa.table({"x": range(7), "image": column}), file, row_group_size=groups)
    images = [image for chunk in plan_chunks([file], []) for image in named_images(chunk)]
    assert [name for name, _ in images] == [f"{file}#{row}" for row in range(7)]
    with pytest.raises(ImageError, match="#3' contains no image"):
        images.pop(3)[1]()
    assert [int(load().rgb[0, 0, 0]) for _, load in images] == [0, 1, 2, 4, 5, 6]


def test_sources_in_a_row_keep_their_order(tmp_path) -> None:
    single = tmp_path / "single.png"
    single.write_bytes(PICTURES[0])
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(1, 5):
            archive.writestr(f"x/{number}.png", PICTURES[number])
        archive.writestr("readme.md", "x")
    images, said, sizes = read(single, single, tmp_path / "a.zip", single)
    assert [value for _, value in images] == [0, 0, 1, 2, 3, 4, 0]
    assert images[2][0] == f"{tmp_path}/a.zip/x/1.png"
    assert said == ["'a.zip': Left out: 1 file (1 .md)."]
    assert sizes == [2, 3, 1, 1]


def test_relative_paths_start_from_the_base(tmp_path, monkeypatch) -> None:
    (tmp_path / "one.png").write_bytes(PICTURES[5])
    images, _, _ = read(Path("one.png"), base=str(tmp_path))
    assert images == [("one.png", 5)]


def test_what_holds_no_images_is_a_sentence(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.md").write_text("x")
    (tmp_path / "list.txt").write_text("\n")
    (tmp_path / "damaged.parquet").write_text("x")
    pq.write_table(pa.table({"image": pa.array([], pa.binary())}), tmp_path / "none.parquet")
    pq.write_table(pa.table({"image": ["a.png"]}), tmp_path / "paths.parquet")
    for name, sentence in {
        "empty": r"empty' contains no images\. Left out: 1 file \(1 \.md\)\.",
        "list.txt": "list.txt' contains no images",
        "gone.txt": "gone.txt' cannot be read: No such file",
        "none.parquet": "none.parquet' contains no images",
        "gone.parquet": "gone.parquet' cannot be read as a Parquet file",
        "damaged.parquet": "damaged.parquet' cannot be read as a Parquet file",
        "paths.parquet": "paths.parquet' has no column named image that holds the bytes",
    }.items():
        with pytest.raises(DataError, match=sentence):
            list(plan_chunks([tmp_path / name], []))


@pytest.mark.parametrize("group_rows", [7, 100, 1000])
def test_rows_of_a_parquet_are_read_in_any_order(tmp_path, group_rows) -> None:
    rows = [None if i % 11 == 0 else str(i).encode() for i in range(300)]
    table = pa.table({"image": pa.array(rows, pa.binary())})
    file = tmp_path / "a.parquet"
    pq.write_table(table, file, row_group_size=group_rows)
    chunks = [(0, 64), (64, 128), (192, 256), (128, 192), (256, 300), (3, 5), (5, 9), (40, 41)]
    for start, stop in chunks:
        assert list(read_parquet(str(file), start, stop)) == rows[start:stop]


def test_chunk_after_chunk_reads_a_row_group_once(tmp_path, monkeypatch) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": pa.array([b"x"] * 640, pa.binary())}), file)
    opened = []
    monkeypatch.setattr(
        parquet_rows, "open_parquet", lambda name: opened.append(name) or open_parquet(name)
    )
    for start in range(0, 640, 64):
        assert len(list(read_parquet(str(file), start, start + 64))) == 64
    assert len(opened) == 1


def test_links_to_folders_are_said_and_lists_in_utf_16_are_refused(tmp_path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(PICTURES[1])
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.png").write_bytes(PICTURES[2])
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "real")
    _, said, _ = read(tmp_path / "folder")
    assert said == [f"Left out: links to folders ('{tmp_path}/folder/link')."]
    (tmp_path / "list.txt").write_text("real/a.png\n", encoding="utf-16")
    with pytest.raises(DataError, match=r"list\.txt' is in UTF-16; save the list in UTF-8"):
        read(tmp_path / "list.txt")


def test_a_zip_file_that_cannot_be_read_is_said_to_be_so(tmp_path) -> None:
    with pytest.raises(DataError, match=r"gone\.zip' cannot be read: No such file"):
        open_zip(tmp_path / "gone.zip")
    (tmp_path / "none.zip").write_bytes(b"no archive")
    with pytest.raises(DataError, match="is not a readable zip file"):
        open_zip(tmp_path / "none.zip")


def test_a_zip_file_is_not_held_in_memory(tmp_path) -> None:
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", PICTURES[1])
        archive.writestr("film.mp4", bytes(50_000_000))
    before = psutil.Process().memory_info().rss
    archive = open_zip(path)
    assert len(archive.members) == 1 and archive.read(archive.members[0])[0, 0, 0] == 1
    assert psutil.Process().memory_info().rss - before < 20_000_000
