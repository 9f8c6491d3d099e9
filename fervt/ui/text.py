"""Untrusted text, such as a file's name or a parameter, escaped so that it stays text."""

import re

_MARKUP = re.compile(r"[\\`*_\[\]#<>~$:|!@&-]")  # what is special in Streamlit's Markdown
# Links, emoji and icons are parsed again once the backslashes are gone: an invisible word
# joiner breaks up what would become one.
_FOUND_LATER = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def as_text(words: object) -> str:
    """Markdown that shows a text literally: untrusted words, or an error that may quote them."""
    return _MARKUP.sub(r"\\\g<0>", _FOUND_LATER.sub(_WORD_JOINER, str(words)))
