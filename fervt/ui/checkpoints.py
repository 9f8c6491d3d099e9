"""The checkpoint that all pages use: picked in the sidebar, named in the address.

A shipped checkpoint is loaded once for everybody. A visitor's own is kept in the visitor's session
only and named by the SHA-256 of its file; it is on disk only while it is being read.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from fervt.checkpoint import FOREIGN_SUFFIXES, shipped_checkpoints
from fervt.errors import CheckpointError, FervtError
from fervt.files import file_sha256
from fervt.images import safe_name
from fervt.predict import Predictor
from fervt.ui.address import put, read
from fervt.ui.choices import put_choice
from fervt.ui.dead_links import say_dead, say_unknown
from fervt.ui.fresh_keys import fresh_key, renew_keys
from fervt.ui.own_checkpoint import say_what_was_read
from fervt.ui.text import as_text

PARAMETER = "checkpoint"

_WIDGET = "checkpoint_choice"
_OWN = "own_checkpoints"
_PROBLEM = "checkpoint_problem"
_MAX_OWN = 3  # of a visitor's own checkpoints, kept at once
_MAX_FILE_MB = 100
_MOST_NAME_BYTES = 200  # file systems take 255
_ALLOWED = (
    "Allowed is a FERVT-GNN checkpoint that fervt saved, as .safetensors or by torch.save "
    f"({', '.join(FOREIGN_SUFFIXES)}), up to {_MAX_FILE_MB} MB."
)
_YOURS = " (yours)"
_NOT_YOURS = (
    "This link shows a checkpoint that is only in the session of the person who uploaded it. "
    "Upload the same file to see the same view; until then,"
)


def pick_checkpoint() -> Predictor:
    """Draws the picker in the sidebar and returns the chosen checkpoint, warmed up.

    If the link names an unavailable checkpoint, says so and uses the flagship.

    Raises:
        CheckpointError: The chosen shipped checkpoint is damaged, or there is none.
    """
    shipped, own = shipped_checkpoints(), _own_checkpoints()
    if not shipped and not own:
        raise CheckpointError("No checkpoint ships with this copy of fervt.")
    titles = {name: name for name in shipped} | _titles_of(own)
    known = list(titles)
    wanted = read(PARAMETER)
    if wanted is not None and is_sha256(wanted) and wanted not in known:
        say_dead(PARAMETER, f"{_NOT_YOURS} '{known[0]}' is used.")
    elif wanted is not None and wanted not in known:
        say_unknown(PARAMETER, wanted, f"'{known[0]}'")
    chosen = wanted if wanted in known else known[0]
    st.session_state[_WIDGET] = chosen
    with st.sidebar:
        st.selectbox(
            "Checkpoint",
            known,
            key=_WIDGET,
            on_change=_choose,
            format_func=titles.__getitem__,
            help="The trained weights that all pages use.",
        )
        if chosen in own:
            st.caption(f":material/check_circle: {say_what_was_read(own[chosen])}")
        with st.expander("Use your own", icon=":material/upload:"):
            _draw_uploader()
    return own[chosen] if chosen in own else load_shipped(chosen)


def _titles_of(own: Mapping[str, Predictor]) -> dict[str, str]:
    """Of a visitor's checkpoints by their files' SHA-256: Streamlit tells options apart by them."""
    titles = {digest: mark_own(predictor.name) for digest, predictor in own.items()}
    often = Counter(titles.values())
    return {d: f"{title}, {d[:6]}" if often[title] > 1 else title for d, title in titles.items()}


def load_shipped(name: str) -> Predictor:
    """A shipped checkpoint, loaded once for everybody and warmed up.

    Raises:
        CheckpointError: There is no such checkpoint, or it is damaged.
    """
    shipped = shipped_checkpoints()
    if name not in shipped:
        raise CheckpointError(f"There is no checkpoint '{safe_name(name)}'.")
    return _load(file_sha256(shipped[name]), shipped[name])


def link_to_checkpoint(sha256: str) -> dict[str, str]:
    """The address's parameter for the checkpoint with this file; none if it isn't here."""
    if sha256 in _own_checkpoints():
        return {PARAMETER: sha256}
    shipped = shipped_checkpoints().items()
    return next(({PARAMETER: name} for name, path in shipped if file_sha256(path) == sha256), {})


def shipped_names() -> list[str]:
    """The shipped checkpoints, the flagship first."""
    return list(shipped_checkpoints())


def shipped_path(name: str) -> Path:
    """The file of a shipped checkpoint that was loaded."""
    return shipped_checkpoints()[name]


@st.cache_resource(max_entries=8, show_spinner="Loading the checkpoint")
def _load(digest: str, _path: Path) -> Predictor:  # the digest alone is the key
    predictor = Predictor(_path)
    predictor.warm_up()
    return predictor


def _own_checkpoints() -> dict[str, Predictor]:
    return st.session_state.setdefault(_OWN, {})


def _choose() -> None:
    put_choice(PARAMETER, st.session_state[_WIDGET])


def _draw_uploader() -> None:
    key = fresh_key("checkpoint")
    st.file_uploader(
        "A FERVT-GNN checkpoint",
        type=[".safetensors", *FOREIGN_SUFFIXES],
        key=key,
        on_change=_take_upload,
        args=(key,),
        max_upload_size=_MAX_FILE_MB,
        label_visibility="collapsed",
    )
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(as_text(problem), icon=":material/error:")
    st.caption(f"{'' if problem else _ALLOWED} It stays in your session only.")


def _take_upload(key: str) -> None:
    upload = st.session_state[key]
    renew_keys("checkpoint")
    if upload is None:
        return
    try:
        predictor = load_own(upload.name, upload.getvalue())
    except FervtError as error:
        st.session_state[_PROBLEM] = f"{error} {_ALLOWED}"
        return
    own = _own_checkpoints()
    own[predictor.sha256] = predictor
    while len(own) > _MAX_OWN:
        del own[next(iter(own))]
    put(PARAMETER, predictor.sha256)


def load_own(name: str, content: bytes) -> Predictor:
    """Loads a visitor's checkpoint; nothing of it stays on disk.

    Returns:
        The checkpoint, warmed up. It bears its file's name, marked as the visitor's where a shipped
        one bears the same.

    Raises:
        CheckpointError: It cannot be used.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / safe_name(name).encode()[-_MOST_NAME_BYTES:].decode(errors="ignore")
        path.write_bytes(content)
        predictor = Predictor(path)
    predictor.name = mark_own(path.stem) if path.stem in shipped_checkpoints() else path.stem
    predictor.warm_up()
    return predictor


def mark_own(name: str) -> str:
    """The name of a visitor's own checkpoint where it stands beside shipped ones."""
    return name.removesuffix(_YOURS) + _YOURS


def is_own(predictor: Predictor) -> bool:
    """Whether a checkpoint is the visitor's own, of which only the file is known."""
    return predictor in _own_checkpoints().values()


def is_sha256(text: str) -> bool:
    """Whether a link's parameter names an uploaded file."""
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
