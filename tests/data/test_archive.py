"""Zip files from strangers: labels by folders, and what is refused before it is unpacked."""

import struct
import tracemalloc
import zipfile
import zlib
from io import BytesIO

import numpy as np
import pytest
from zips import png, zip_of

from fervt.data import archive as module
from fervt.data.archive import ImageArchive
from fervt.errors import DataError, ImageError
from fervt.labels import FERPLUS

FACE = png(np.arange(48 * 40, dtype=np.uint8).reshape(48, 40))


def labels_of(archive: ImageArchive) -> dict[str, tuple[str, str]]:
    names = (*FERPLUS.classes, "")
    return {m.name: (names[m.label], m.split) for m in archive.members}


def test_the_nearest_folder_that_is_a_class_is_the_label() -> None:
    names = [
        "happy/a.png",
        "faces/Test/SADNESS/b.JPG",
        "./train/Fearful/more/c.webp",
        "Validation\\contempt\\d.png",
        "happy/angry/e.png",
        "f.png",
        "../../anger/g.png",
        "other/h.png",
    ]
    archive = ImageArchive(zip_of(dict.fromkeys(names, FACE)), "x.zip")
    assert labels_of(archive) == {
        "happy/a.png": ("happiness", ""),
        "faces/Test/SADNESS/b.JPG": ("sadness", "test"),
        "train/Fearful/more/c.webp": ("fear", "train"),
        "Validation/contempt/d.png": ("contempt", "validation"),
        "happy/angry/e.png": ("anger", ""),
        "f.png": ("", ""),
        "anger/g.png": ("anger", ""),
        "other/h.png": ("", ""),
    }
    assert len(archive.labeled()) == 6
    assert [m.name for m in archive.labeled("test")] == ["faces/Test/SADNESS/b.JPG"]


def test_images_are_read_and_litter_is_not_seen() -> None:
    files = {
        "happy/a.png": FACE,
        "__MACOSX/happy/._a.png": b"x",
        "happy/.hidden.png": b"x",
        "happy/Thumbs.db": b"x",
        "readme.txt": b"x",
    }
    archive = ImageArchive(zip_of(files), "C:\\faces\\x.zip")
    assert archive.name == "x.zip"
    assert archive.left_out == "Left out: 1 file (1 .txt)."
    (member,) = archive.members
    assert archive.read(member).shape == (48, 40, 3)
    assert (archive.read(member)[..., 0].ravel() == np.arange(48 * 40) % 256).all()


@pytest.mark.parametrize("content", [b"", b"hello", zip_of({"a.png": FACE})[:-30]])
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match=r"'x\.zip' is not a readable zip file"):
        ImageArchive(content, "x.zip")


def test_encrypted_images_are_refused() -> None:
    content = bytearray(zip_of({"happy/a.png": FACE}))
    listing = content.index(b"PK\1\2")
    content[listing + 8] |= 1
    with pytest.raises(DataError, match="encrypted"):
        ImageArchive(bytes(content), "x.zip")


def test_too_many_images_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(module, "MAX_IMAGES", 3)
    with pytest.raises(DataError, match="contains 4 images; up to 3"):
        ImageArchive(zip_of({f"sad/{i}.png": FACE for i in range(4)}), "x.zip")


def test_bombs_are_refused_before_they_are_unpacked(monkeypatch) -> None:
    zeros = zip_of({"sad/a.png": bytes(3_000_000)}, compression=zipfile.ZIP_DEFLATED)
    assert len(zeros) < 10_000
    monkeypatch.setattr(module, "MAX_UNPACKED_BYTES", 2_000_000)
    with pytest.raises(DataError, match="would unpack to more than"):
        ImageArchive(zeros, "x.zip")
    monkeypatch.undo()
    monkeypatch.setattr(module, "MAX_IMAGE_BYTES", 2_000_000)
    archive = ImageArchive(zeros, "x.zip")
    with pytest.raises(ImageError, match=r"'sad/a\.png' is over"):
        archive.read(archive.members[0])


def zeros_that_claim(size: int, claimed: int) -> bytes:
    """An archive with a deflated member of that many zeros, whose listing says another number."""
    content = bytearray(zip_of({"sad/a.png": bytes(size)}, compression=zipfile.ZIP_DEFLATED))
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, claimed)
    return bytes(content)


def test_a_size_that_is_a_lie_unpacks_no_more_than_it_says() -> None:
    archive = ImageArchive(zeros_that_claim(500_000, 100), "x.zip")
    with pytest.raises(ImageError):
        archive.read(archive.members[0])


def test_an_endless_listing_is_refused(monkeypatch) -> None:
    content = zip_of({f"{i}.txt": b"" for i in range(50)})
    monkeypatch.setattr(module, "MAX_LISTING_BYTES", 1000)
    with pytest.raises(DataError, match="too many files"):
        ImageArchive(content, "x.zip")


def test_damaged_images_are_errors_of_their_own() -> None:
    content = bytearray(zip_of({"sad/a.png": FACE, "sad/b.png": b"text", "sad/c.png": FACE}))
    content[60] ^= 255  # in a.png: its checksum is wrong then
    archive = ImageArchive(bytes(content), "x.zip")
    a, b, c = archive.members
    with pytest.raises(ImageError, match=r"'sad/a\.png' is damaged"):
        archive.read(a)
    with pytest.raises(ImageError, match=r"b\.png"):
        archive.read(b)
    assert archive.read(c).shape == (48, 40, 3)


def test_a_member_without_a_name_is_passed_over() -> None:
    content = zip_of({"happy/a.png": FACE, "Q.png": FACE}).replace(b"Q.png", b"\0.png")
    (member,) = ImageArchive(content, "x.zip").members
    assert member.name == "happy/a.png"


def renamed(files: dict[str, bytes], raw: dict[str, bytes]) -> bytes:
    """A zip file whose names are other bytes of the same length, without the flag of UTF-8."""
    content = zip_of(files)
    for name, other in raw.items():
        assert len(other) == len(name)
        content = content.replace(name.encode(), other)
    return content


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Fröhlich/Jörg.png".encode(), "Fröhlich/Jörg.png"),
        ("照片/微笑.png".encode("gb18030"), "照片/微笑.png"),
        ("ソ表/笑顔ソ.png".encode("shift_jis"), "ソ表/笑顔ソ.png"),  # ソ and 表 hold a byte 0x5C
        ("表/十.png".encode("shift_jis"), "表/十.png"),
        ("カメラ/ﾃｽﾄ.png".encode("cp932"), "カメラ/ﾃｽﾄ.png"),
        ("予定/能力（１）.png".encode("shift_jis"), "予定/能力（１）.png"),
        ("图片（1）/张婷.png".encode("gbk"), "图片（1）/张婷.png"),
        ("相片/人物.png".encode("big5"), "相片/人物.png"),
        ("テスト/写真.png".encode("euc_jp"), "テスト/写真.png"),
        ("사진/행복한얼굴.png".encode("cp949"), "사진/행복한얼굴.png"),
        ("Привет/фото.png".encode("cp866"), "Привет/фото.png"),
        ("Привет/фото.png".encode("cp1251"), "Привет/фото.png"),
        ("Jörg.png".encode("cp437"), "Jörg.png"),
        ("élève/âge.png".encode("cp850"), "élève/âge.png"),
        ("Müller/Straße.png".encode("cp1252"), "Müller/Straße.png"),
        ("Łódź/zdjęcie.png".encode("cp1250"), "Łódź/zdjęcie.png"),
        (b"a\x98\\\xff\xffb.png", "a%98%5c%ff%ffb.png"),  # maybe half of a character
        (b"a\xb0\xc9b.png", "a%b0%c9b.png"),  # box drawing in the zip format's own code page
    ],
)
def test_names_without_a_flag_are_read(raw, name) -> None:
    stand_in = "x" * (len(raw) - 4) + ".png"
    (member,) = ImageArchive(renamed({stand_in: FACE}, {stand_in: raw}), "x.zip").members
    assert member.name == name


def test_the_names_of_an_archive_are_read_together() -> None:
    names = ["表.png", "ソ.png", "東京/IMG 1.png", "写真/カメラ.png"]
    raw = {
        f"{i}{'x' * (len(n.encode('cp932')) - 5)}.png": n.encode("cp932")
        for i, n in enumerate(names)
    }
    archive = ImageArchive(renamed(dict.fromkeys(raw, FACE), raw), "x.zip")
    assert sorted(member.name for member in archive.members) == sorted(names)
    assert archive.left_out == ""


@pytest.mark.parametrize(
    ("path", "archive", "label"),
    [
        ("raf-db/DATASET/train/4/a.png", "x.zip", "happiness"),
        ("raf-db/DATASET/train/4/a.png", "fer2013.zip", "happiness"),
        ("FER-2013/Training/3/a.png", "RAF-DB and others.zip", "happiness"),
        ("FER2013Plus/1/a.png", "x.zip", "happiness"),
        ("test/3_happy/a.png", "x.zip", "happiness"),
        ("test/3/a.png", "x.zip", ""),
    ],
)
def test_numbers_mean_what_the_nearest_named_data_set_says(path, archive, label) -> None:
    found = labels_of(ImageArchive(zip_of({path: FACE}), archive))
    assert found[path][0] == label


def test_the_unicode_path_of_info_zip_is_read() -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        info = zipfile.ZipInfo("J_rg.png")
        body = struct.pack("<BI", 1, zlib.crc32(b"J_rg.png")) + "Jörg.png".encode()
        info.extra = struct.pack("<HH", 0x7075, len(body)) + body
        archive.writestr(info, FACE)
    (member,) = ImageArchive(content.getvalue(), "x.zip").members
    assert member.name == "Jörg.png"


@pytest.mark.parametrize(
    ("path", "archive", "label"),
    [
        ("DATASET/train/4/a.png", "raf-db.zip", "happiness"),
        ("RAF-DB/test/6/a.png", "x.zip", "anger"),
        ("fer2013/Training/3/a.png", "x.zip", "happiness"),
        ("images/7/a.png", "FER+ votes.zip", "contempt"),
        ("images/3/a.png", "x.zip", ""),
        ("raf-db/9/a.png", "x.zip", ""),
    ],
)
def test_numbers_are_classes_where_the_data_set_is_named(path, archive, label) -> None:
    assert labels_of(ImageArchive(zip_of({path: FACE}), archive))[path][0] == label


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_without_a_bound_is_refused(packing) -> None:
    archive = ImageArchive(zip_of({"sad/a.png": FACE}, compression=packing), "x.zip")
    with pytest.raises(ImageError, match=r"'sad/a\.png' uses an unsupported compression"):
        archive.read(archive.members[0])


def test_a_deflated_member_unpacks_no_more_than_it_says_in_memory() -> None:
    archive = ImageArchive(zeros_that_claim(300_000_000, 1_000_000), "x.zip")
    tracemalloc.start()
    with pytest.raises(ImageError):
        archive.read(archive.members[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_large_archives_are_judged_by_their_real_listing(monkeypatch) -> None:
    content = zip_of({"a.png": FACE, "b.png": FACE})
    end = content.rindex(b"PK\5\6")
    size, start = struct.unpack_from("<II", content, end + 12)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, size, start)
    where = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    last = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 2, 2, 2**32 - 1, 2**32 - 1, 0)
    zip64 = content[:end] + record + where + last
    assert len(ImageArchive(zip64, "x.zip").members) == 2
    monkeypatch.setattr(module, "MAX_LISTING_BYTES", size - 1)
    with pytest.raises(DataError, match="too many files"):
        ImageArchive(zip64, "x.zip")
