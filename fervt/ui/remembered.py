"""A cache of what was computed from an image, so that no page computes it again.

An example belongs to no visitor, so a shipped checkpoint's results are computed once for everybody.
Everything else stays in the visitor's session.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

from fervt.examples import EXAMPLES
from fervt.predict import Predictor
from fervt.ui.checkpoints import is_own

_REMEMBERED = "computed_from_pictures"
_MOST = 64  # of a visitor's
_MOST_SHARED = 160

T = TypeVar("T")


def remember(
    predictor: Predictor,
    picture: str,
    what: Hashable,
    compute: Callable[[], T],
    worth_keeping: Callable[[T], bool] = lambda _: True,
) -> T:
    """A checkpoint's result for an image, computed once; it must not be modified.

    Args:
        predictor: The checkpoint.
        picture: The image's key: an example's name, or the SHA-256 of a visitor's file.
        what: All else that the result depends on: strings, numbers and tuples.
        compute: Computes the result if it is not known yet; draws nothing.
        worth_keeping: Returns False for a result of a visitor's image that is too large.
    """
    if picture in EXAMPLES and not is_own(predictor):
        return _of_example(predictor.sha256, picture, what, compute)  # type: ignore[no-any-return]
    return remember_here((predictor, picture, what), compute, worth_keeping)


@st.cache_resource(max_entries=_MOST_SHARED, show_spinner=False)
def _of_example(digest: str, picture: str, what: Hashable, _compute: Callable[[], Any]) -> Any:
    return _compute()


def remember_here(
    key: Hashable, compute: Callable[[], T], worth_keeping: Callable[[T], bool] = lambda _: True
) -> T:
    """The same in this session alone; forgotten together with the images.

    Args:
        key: All that the result depends on.
        compute: Computes the result if it is not known yet.
        worth_keeping: Returns False for a result that is too large; 64 results stay in memory.
    """
    known: dict[Hashable, T] = st.session_state.setdefault(_REMEMBERED, {})
    result = known.pop(key) if key in known else compute()
    if worth_keeping(result):
        known[key] = result  # the most recently used is last
    while len(known) > _MOST:
        del known[next(iter(known))]
    return result


def recall(key: Hashable) -> Any:
    """What `remember_here` keeps under a key; None if there is nothing."""
    return st.session_state.get(_REMEMBERED, {}).get(key)


def forget_remembered() -> None:
    """Clears this session's cache."""
    st.session_state.pop(_REMEMBERED, None)
