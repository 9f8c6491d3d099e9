"""The names in zip files, whose encoding is only sometimes declared.

The names in an archive come from one computer, so they are judged together: an encoding fits if it
turns all of them into text typical of it. Names that fit none stay as escaped bytes, since a wrong
name helps nobody. General-purpose detectors need more text than a name: charset-normalizer, given
the same encodings, read seven of ten such names (it took German for Japanese and Russian for
Korean).
"""

import re
import struct
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from itertools import accumulate
from zipfile import ZipInfo

_IS_UTF8 = 0x800  # among the flags
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field for the name
_MOST_JUDGED = 20_000  # bytes: more wouldn't help
_MOSTLY = 0.5  # share of the characters: names of people and places have rare ones too
_CLEARLY_KOREAN = 6  # syllables: fewer could just as well be common Chinese characters
_CLEARLY_RUSSIAN = 5  # letters: likewise
_WORD = re.compile(r"[^\W\d_]+")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_RUSSIAN = ("cp866", "cp1251", "koi8_r")
_LATIN = ("cp1252", "cp1250", "cp852")
# Never follows a letter in a name, but is the second half of a character in Shift-JIS and Big5.
_NOT_AFTER_LETTER = re.compile(r"[^\x00-\x7f][\\\[\]^`{|}~@]")
_WITHIN_LATIN = re.compile(r"[a-z][^\x00-\x7f]|[^\x00-\x7f][a-z]")


def read_names(infos: Sequence[ZipInfo]) -> list[str]:
    """The full names of an archive's members.

    UTF-8 if the archive says so; Info-ZIP's Unicode path; UTF-8 if the bytes are valid; then the
    encoding that fits all others: the zip format's own code page, Shift-JIS, GB 18030, Big5,
    EUC-JP, EUC-KR, and the code pages of Russian and western and central European computers. Bytes
    that remain unknown are escaped as `%94`.
    """
    names: list[str | None] = []
    unknown: dict[int, bytes] = {}
    for at, info in enumerate(infos):
        raw = info.orig_filename.encode("cp437", "replace")
        name = info.orig_filename if info.flag_bits & _IS_UTF8 else _unicode_path(info.extra, raw)
        if name is None:
            try:
                name = raw.decode("utf-8")
            except UnicodeDecodeError:
                unknown[at] = raw
        names.append(name)
    total = accumulate(map(len, unknown.values()), initial=0)
    some = [raw for raw, before in zip(unknown.values(), total) if before < _MOST_JUDGED]  # noqa: B905
    encoding = _choose(some) if unknown else None
    return [_decode(unknown[at], encoding) if n is None else n for at, n in enumerate(names)]


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


def _decode(raw: bytes, encoding: str | None) -> str:
    if encoding is not None:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            pass
    # A backslash after an unknown byte may be the second half of a character.
    found = re.sub(
        rb"[\x80-\xff]+\\?",
        lambda match: b"".join(b"%%%02x" % byte for byte in match[0]),
        raw,
    )
    return found.decode("ascii")


def _choose(names: Sequence[bytes]) -> str | None:
    """The encoding that fits all names; None if none does."""
    if _fits(names, "cp437", _is_latin) and not _fits(names, "cp932", _is_clearly_japanese):
        return "cp437"
    if sum(byte >= 0x80 for raw in names for byte in raw) >= _CLEARLY_RUSSIAN:
        for encoding in _RUSSIAN:
            if _fits(names, encoding, _is_russian):
                return encoding
    scores = {
        encoding: score
        for encoding, home in _DOUBLE_BYTES.items()
        if (score := _share_at_home(names, encoding, home)) >= _MOSTLY
    }
    if scores:
        return max(scores, key=scores.__getitem__)
    return next((code for code in _LATIN if _fits(names, code, _is_latin)), None)


def _fits(names: Sequence[bytes], encoding: str, accepts: Callable[[str], bool]) -> bool:
    try:
        return all(accepts(raw.decode(encoding)) for raw in names)
    except UnicodeDecodeError:
        return False


def _share_at_home(names: Sequence[bytes], encoding: str, home: Callable[[str], bool]) -> float:
    """The share of foreign characters that are common in an encoding's language; 0 = no names."""
    try:
        text = "/".join(raw.decode(encoding) for raw in names)
    except UnicodeDecodeError:
        return 0.0
    foreign = "".join(_FOREIGN.findall(text))
    if encoding == "cp949" and len(foreign) < _CLEARLY_KOREAN:
        return 0.0
    if len(foreign) == 1 and _WITHIN_LATIN.search(text):
        return 0.0
    return sum(map(home, foreign)) / len(foreign)


def _is_kana(character: str) -> bool:
    return "\u3041" <= character <= "\u30fe"


def _is_form(character: str) -> bool:
    """Full-width digits, letters and signs, and the brackets and punctuation of East Asian text."""
    return "\uff01" <= character <= "\uff5e" or "\u3001" <= character <= "\u3017"


def _lies_in(character: str, encoding: str, first: int, last: int) -> bool:
    """Whether a character is in one of the encoding's rows of common characters."""
    try:
        raw = character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return len(raw) == 2 and first <= raw[0] <= last


def _is_japanese(character: str) -> bool:
    known = _is_kana(character) or _is_form(character)
    return known or _lies_in(character, "euc_jp", 0xB0, 0xCF)


def _is_simplified(character: str) -> bool:
    return _is_form(character) or _lies_in(character, "gb2312", 0xB0, 0xD7)


def _is_traditional(character: str) -> bool:
    return _is_form(character) or _lies_in(character, "big5", 0xA4, 0xC6)


def _is_korean(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


_DOUBLE_BYTES: dict[str, Callable[[str], bool]] = {
    "cp932": _is_japanese,
    "cp949": _is_korean,
    "gb18030": _is_simplified,
    "euc_jp": _is_japanese,
    "big5": _is_traditional,
}


def _is_clearly_japanese(name: str) -> bool:
    """Whether no character sits within a Latin word, as accented letters do."""
    return not _WITHIN_LATIN.search(name) and all(
        map(_is_japanese, "".join(_FOREIGN.findall(name)))
    )


def _has_plain_case(word: str) -> bool:
    return word.isupper() or word.islower() or word.istitle() or word[1:].islower()


def _is_latin(name: str) -> bool:
    letters = "".join(_FOREIGN.findall(name))
    return (
        all(unicodedata.name(c, "").startswith("LATIN ") for c in letters)
        and not _NOT_AFTER_LETTER.search(name)
        and all(len(run) < 3 for run in _FOREIGN.findall(name))
        and all(word.isascii() or _has_plain_case(word) for word in _WORD.findall(name))
    )


def _is_russian(name: str) -> bool:
    words = [word for word in _WORD.findall(name) if not word.isascii()]
    cyrillic = re.fullmatch("[А-Яа-яЁё]+", "".join(_FOREIGN.findall(name)))
    return cyrillic is not None and all(map(_has_plain_case, words))
