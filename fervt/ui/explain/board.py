"""The Explain page's first look: four maps of the face on one grid, and each cell in words."""

from collections.abc import Sequence
from typing import Any

from fervt.amounts import points
from fervt.draw import LESS_RGB, MORE_RGB
from fervt.evaluation.same_map import SameMap
from fervt.explain import SOURCES, edge_attention
from fervt.explain.evidence import Array, rank_cells
from fervt.explain.regions import strongest_region
from fervt.explain.trace import Trace
from fervt.figures.grid import encode_picture
from fervt.figures.in_words import name_cell, say_map
from fervt.figures.tint import tint_cells
from fervt.grid import GRID
from fervt.ui.component import mount
from fervt.ui.explain.selection import ExplainedFace, every_cell, mark_cell
from fervt.ui.glossary import TERMS, link_to_term
from fervt.ui.navigation import leave_for, link_parameters
from fervt.ui.same_map import say_same

ORDER = ("occlusion", "gwa", "gat", "grad_cam")
_MISSING = {
    "gwa": "This checkpoint was built without grid-wise attention (GWA).",
    "gat": "This checkpoint was built without the graph.",
}
# The smallest distance from neutral drawn in full color: 2 points, or a quarter of the mean.
_FLOORS = {"occlusion": 0.02, "gwa": 0.25, "gat": 0.25, "grad_cam": 1e-6}
_STRONGEST = {"occlusion": "Strongest single cells"}  # the page's first sentence hides regions
_FACE_PX = 448


def legend(
    more: str = "counts for this expression, or more than the average cell",
    less: str = "counts against it",
) -> list[tuple[str, str]]:
    """Colors and what they mean."""
    return [
        ("linear-gradient(90deg, rgba({0}, 0.1), rgb({0}))".format(", ".join(map(str, rgb))), words)
        for rgb, words in ((MORE_RGB, more), (LESS_RGB, less))
    ]


def show_board(view: ExplainedFace) -> None:
    """Draws the maps side by side; a click marks a cell everywhere."""
    maps = view.explanation.maps(view.target)
    cell = None if view.cell is None else GRID * view.cell[0] + view.cell[1]

    same = say_same(view.predictor)

    def take(clicked: int | str) -> None:
        if isinstance(clicked, str):
            leave_for("glossary", link_parameters() | {"term": clicked})
        else:
            mark_cell(divmod(clicked, GRID) if clicked >= 0 else None)

    mount(
        "board",
        "board",
        {
            "face": encode_picture(view.seen, _FACE_PX),
            "panels": [_panel(key, maps, view.explanation.trace, same) for key in ORDER],
            "lines": cell_lines(maps, view.target.describe_score(view.predictor.classes)),
            "hint": "Point at a cell to read it here; click to mark it in every map. Regions come "
            "from the crop's fixed geometry, not from landmarks. Rows and columns count from 0.",
            "legend": legend(),
            "cell": cell,
        },
        take,
    )


def _panel(key: str, maps: dict[str, Array], trace: Trace, same: SameMap | None) -> dict[str, Any]:
    panel: dict[str, Any] = {
        "title": SOURCES[key].title,
        "help": f"{TERMS[key].title}: {TERMS[key].short}",
        "term": key,
        "link": link_to_term(key),
    }
    if key not in maps:
        return panel | {"missing": _MISSING[key]}
    values = maps[key]
    panel |= plain_panel(key, values)
    if key == "gwa" and same is not None:
        panel["note"] += f". {same.said}"
        panel["help"] += f" {same.measured}"
    if key == "gat" and trace.gat_attention is not None and trace.edge_index is not None:
        attention = edge_attention(trace.gat_attention)
        between = trace.edge_index[0] != trace.edge_index[1]
        edges = sorted(
            zip(*trace.edge_index[:, between].tolist(), attention[between].tolist(), strict=True),
            key=lambda edge: -edge[2],
        )
        panel["graph"] = {"edges": [(s, t, round(v, 4)) for s, t, v in edges]}
        panel["fills"] = ["transparent"] * GRID * GRID
    return panel


def plain_panel(key: str, values: Array) -> dict[str, Any]:
    """What every panel needs: its cells' colors, texts, and order, and its text alternative."""
    ranks = rank_cells(values)
    return {
        "fills": tint_cells(values, SOURCES[key].neutral, _FLOORS[key], SOURCES[key].signed),
        "texts": [f"{name_cell(*cell)}: rank {ranks[cell]} of 49" for cell in every_cell()],
        "order": ranks.ravel().tolist(),
        "alt": say_map(f"{SOURCES[key].title} over the face", values, "{:.2f}".format),
        "note": f"{_STRONGEST.get(key, 'Strongest')}: {strongest_region(values)}",
    }


def cell_lines(maps: dict[str, Array], score: str, order: Sequence[str] = ORDER) -> list[str]:
    """Each cell in one line: its region, what hiding it costs, and its rank in each map.

    Args:
        maps: By source, (7, 7).
        score: What hiding a cell changes, in words.
        order: Of the sources.
    """
    ranks = {key: rank_cells(maps[key]) for key in order if key in maps}
    lines = []
    for cell in every_cell():
        named = ", ".join(f"{SOURCES[key].title} {ranks[key][cell]}" for key in ranks)
        lines.append(
            f"{name_cell(*cell)}: hiding it changes the {score} by "
            f"{points(-maps['occlusion'][cell])}. "
            f"Rank of 49: {named}."
        )
    return lines
