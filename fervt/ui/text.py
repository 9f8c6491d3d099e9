"""Words of strangers, such as a file's name or what an address says, so that they stay words."""

import re

_MARKUP = re.compile(r"[\\`*_\[\]#<>~$:|!@&-]")  # what Streamlit's Markdown gives a meaning
# Links, emoji and icons are looked for once more when the backslashes are gone: an invisible word
# joiner keeps what would be one of them apart.
_FOUND_LATER = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def as_text(words: object) -> str:
    """What Markdown shows as it stands: of a stranger's words, or an error that may quote them."""
    return _MARKUP.sub(r"\\\g<0>", _FOUND_LATER.sub(_WORD_JOINER, str(words)))
