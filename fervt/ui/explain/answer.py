"""The Explain page's answer: the face, what was read, and one measured sentence on why."""

from typing import Any

import streamlit as st

from fervt.explain import SOURCES
from fervt.explain.evidence import Array
from fervt.explain.faithfulness_table import read_table
from fervt.explain.regions import MATTERS, describe_drops, strongest_region
from fervt.ui.bars import show_bars
from fervt.ui.certainty import explain_threshold, say
from fervt.ui.explain.board import ORDER
from fervt.ui.explain.faithfulness import measured_of, say_best
from fervt.ui.explain.selection import ExplainedFace, pick_target
from fervt.ui.face_choice import pick_number, pick_whole

_BETTER = "better than random"
_CROP_PX = 112


def show_answer(view: ExplainedFace, faces: int) -> None:
    """Draws the crop, the answer, the sentences, and the choice of what to explain.

    Args:
        view: The explained face.
        faces: How many there are in the image.
    """
    left, bars = st.columns([8, 4], gap="medium")
    with left, st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        st.image(
            view.crop_jpeg,
            width=_CROP_PX,
            alt=f"The face as it was cut out: {say(view.predictor, view.prediction)}",
        )
        words = st.container(width="stretch", gap="xsmall")
    with words:
        st.header(
            say(view.predictor, view.prediction),
            anchor=False,
            help=explain_threshold(view.predictor.name, view.predictor.sha256),
        )
        about = "" if view.target == view.explanation.predicted else f"For {view.target_name}: "
        st.markdown(f"**{about}{describe_drops(view.drops)}**")
        maps = view.explanation.maps(view.target)
        table = read_table(view.predictor.sha256)
        measured = measured_of(view)
        sentences = [say_agreement(maps, view.drops), say_trust(table)]
        st.caption(" ".join(sentences + ([] if measured is None else [say_best(measured)])))
        pick_number(faces)
    with bars:
        show_bars(view.prediction.probabilities, view.prediction.classes)
        with st.popover("Explain another expression", icon=":material/tune:", type="tertiary"):
            pick_target(view.predictor.classes, view.prediction)
            pick_whole()


def say_agreement(maps: dict[str, Array], drops: dict[str, float]) -> str:
    """Whether the other maps point at the region that matters most when hidden.

    Occlusion isn't asked: it hides, too, but a cell at a time.
    """
    deciding = max(drops, key=drops.__getitem__)
    others = [key for key in ORDER if key in maps and key != "occlusion"]
    strongest = {key: strongest_region(maps[key]) for key in others}
    if drops[deciding] < MATTERS:
        where = ", ".join(f"{_introduce(key)} on the {name}" for key, name in strongest.items())
        return f"The maps are strongest here: {where}."
    by_region: dict[str, list[str]] = {}
    for key, name in strongest.items():
        by_region.setdefault(name, []).append(_introduce(key))
    agree = by_region.pop(deciding, [])
    sentences = []
    if agree:
        sentences.append(f"{_points(agree)} to the {deciding} as well.")
    if len(by_region) == 1:
        ((name, differ),) = by_region.items()
        sentences.append(f"{_points(differ)} to the {name} instead.")
    elif by_region:
        named = ", ".join(f"{_join(differ)} to the {name}" for name, differ in by_region.items())
        sentences.append(f"Not all agree: {named}.")
    return " ".join(sentences)


def say_trust(table: dict[str, Any] | None) -> str:
    """How trustworthy the maps are over many faces, in a sentence."""
    if table is None:
        return "How far the maps of this checkpoint can be trusted hasn't been measured yet."
    sources = table["sources"]
    good = [key for key in ORDER if sources.get(key, {}).get("verdict") == _BETTER]
    weak = [SOURCES[key].inline for key in ORDER if key in sources and key not in good]
    start = f"Over {table['faces']} {table['split']} faces,"
    if not good:
        return f"{start} none of these maps finds the deciding cells better than chance."
    if not weak:
        count = {2: "both", 3: "all three", 4: "all four"}.get(len(good), "all")
        return (
            f"{start} {count} find the deciding cells better than chance, {_say_widest(sources)}; "
            f"{_say_beyond_means(sources)}."
        )
    verb = "beats" if len(good) == 1 else "beat"
    return (
        f"{start} only {_join([SOURCES[key].inline for key in good])} {verb} chance: {_join(weak)} "
        f"{'shows' if len(weak) == 1 else 'show'} where the model looks, not what decides."
    )


def _say_widest(sources: dict[str, Any]) -> str:
    """Which map's order changes the answer most when cells are hidden, and when revealed."""
    hiding, revealing = (
        max(sources, key=lambda key: sources[key][f"{side}_gain"])
        for side in ("deletion", "insertion")
    )
    # Occlusion is expected to win: it hides cells itself.
    note = ", which hides cells itself," if hiding == "occlusion" else ""
    said = f"{SOURCES[hiding].inline}{note} by the widest margin"
    if hiding == revealing:
        return said
    lowest = sources[revealing]["insertion_interval_95"][0]
    if lowest > sources[hiding]["insertion_gain"]:
        return f"{said} when they are hidden, {SOURCES[revealing].inline} when they are revealed"
    return f"{said} when they are hidden"


def _say_beyond_means(sources: dict[str, Any]) -> str:
    """Which maps know more about a face than a single map shared by all faces."""

    def is_beyond(over: dict[str, Any]) -> bool:
        ends = [over[f"{side}_interval_95"] for side in ("deletion", "insertion")]
        return any(low > 0 for low, _ in ends) and all(high > 0 for _, high in ends)

    beyond = [
        SOURCES[key].inline
        for key in ORDER
        if key in sources and is_beyond(sources[key]["over_mean_map"])
    ]
    if not beyond:
        return "none beats a single map shared by all faces"
    if len(beyond) == len(sources):
        return "each beats a single map shared by all faces"
    verb = "beats" if len(beyond) == 1 else "beat"
    return f"only {_join(beyond)} {verb} a single map shared by all faces"


def _introduce(key: str) -> str:
    """A map within the page's first sentence on it."""
    return "grid-wise attention (GWA)" if key == "gwa" else SOURCES[key].inline


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _points(maps: list[str]) -> str:
    """Some maps, with the verb."""
    return f"{_upper(_join(maps))} {'points' if len(maps) == 1 else 'point'}"


def _join(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
