"""Words of strangers, such as a file's name or what an address says, so that they stay words."""

import re

# What Streamlit's Markdown gives a meaning, and the start of what it makes a link by itself.
_MARKUP = re.compile(r"[\\`*_\[\]#<>~$:|!@]|(?<=www)\.", re.IGNORECASE)


def as_text(words: object) -> str:
    """What Markdown shows as it stands: of a stranger's words, or an error that may quote them."""
    return _MARKUP.sub(r"\\\g<0>", str(words))
