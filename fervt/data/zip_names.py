"""The names in zip files, which say in which encoding they are only where their author cared."""

import re
import struct
import zlib
from zipfile import ZipInfo

_IS_UTF8 = 0x800  # among the flags
_UNICODE_PATH = 0x7075  # Info-ZIP's field beside the name


def read_name(info: ZipInfo) -> str:
    """A member's whole name.

    In this order: UTF-8 where the archive says so; Info-ZIP's Unicode path; UTF-8 where the bytes
    are; Shift-JIS or GB 18030 where they give nothing but kana and ideographs, and several of them;
    the zip format's own code page where it gives letters. Bytes that remain unknown are escaped as
    `%94`.
    """
    if info.flag_bits & _IS_UTF8:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437", "replace")
    beside = _unicode_path(info.extra, raw)
    if beside is not None:
        return beside
    if raw.isascii():
        return raw.decode("ascii")
    for encoding, fits in (
        ("utf-8", lambda _: True),
        ("shift_jis", _is_japanese),
        ("gb18030", _is_chinese),
        ("cp437", str.isalpha),
    ):
        try:
            name = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(fits(run) for run in re.findall(r"[^\x00-\x7f]+", name)):
            return name
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02x}" for byte in raw)


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + size]
        if kind == _UNICODE_PATH and len(body) > 5 and body[0] == 1:
            if struct.unpack_from("<I", body, 1)[0] == zlib.crc32(raw):
                return body[5:].decode("utf-8", "replace")
        at += 4 + size
    return None


def _is_japanese(run: str) -> bool:
    kana = [c for c in run if "\u3040" <= c <= "\u30ff"]
    return bool(kana) and all(c in kana or _is_ideograph(c) for c in run)


def _is_chinese(run: str) -> bool:
    """Two and more: a single one is what an accented letter and its neighbor look like."""
    return len(run) > 1 and all(map(_is_ideograph, run))


def _is_ideograph(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"
