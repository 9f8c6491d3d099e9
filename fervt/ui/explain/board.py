"""The Explain page's first look: four maps of the face on one grid, and each cell in words."""

from collections.abc import Sequence
from typing import Any

from fervt.amounts import points
from fervt.explain import SOURCES, edge_attention
from fervt.explain.evidence import Array, rank_cells
from fervt.explain.regions import strongest_region
from fervt.explain.trace import Trace
from fervt.figures.grid import encode_picture
from fervt.figures.in_words import name_cell, say_map
from fervt.figures.tint import LESS_RGB, MORE_RGB, tint_cells
from fervt.grid import GRID
from fervt.ui.component import mount
from fervt.ui.explain.selection import ExplainedFace, every_cell, mark_cell
from fervt.ui.glossary import link_to_term, short

ORDER = ("occlusion", "gwa", "gat", "grad_cam")
TITLES = {
    "occlusion": "Occlusion",
    "gwa": "Grid-wise attention",
    "gat": "Graph attention",
    "grad_cam": "Grad-CAM",
}
_MISSING = {
    "gwa": "This checkpoint was built without grid-wise attention.",
    "gat": "This checkpoint was built without the graph.",
}
# The smallest distance from neutral drawn in full color: 2 points, or a quarter of the mean.
_FLOORS = {"occlusion": 0.02, "gwa": 0.25, "gat": 0.25, "grad_cam": 1e-6}
_STRONGEST = {"occlusion": "Strongest single cells"}  # the page's first sentence hides regions
_FACE_PX = 448


def legend() -> list[tuple[str, str]]:
    """Colors and what they mean."""
    warm, cool = ("rgb({}, {}, {})".format(*rgb) for rgb in (MORE_RGB, LESS_RGB))
    return [
        (
            f"linear-gradient(90deg, rgba(255, 98, 0, 0.1), {warm})",
            "counts for this expression, or more than the average cell",
        ),
        (f"linear-gradient(90deg, rgba(0, 92, 255, 0.1), {cool})", "counts against it"),
    ]


def show_board(view: ExplainedFace) -> None:
    """Draws the maps side by side; a click marks a cell everywhere."""
    maps = view.explanation.maps(view.target)
    cell = None if view.cell is None else GRID * view.cell[0] + view.cell[1]

    def take(at: int) -> None:
        mark_cell(divmod(at, GRID) if at >= 0 else None)

    mount(
        "board",
        "board",
        {
            "face": encode_picture(view.seen, _FACE_PX),
            "panels": [_panel(key, maps, view.explanation.trace) for key in ORDER],
            "lines": cell_lines(maps, view.target.describe_score(view.predictor.classes)),
            "hint": "Point at a cell to read it here; click to mark it in all four. Regions come "
            "from the crop's fixed geometry, not from landmarks. Rows and columns count from 0.",
            "legend": legend(),
            "cell": cell,
        },
        take,
    )


def _panel(key: str, maps: dict[str, Array], trace: Trace) -> dict[str, Any]:
    panel: dict[str, Any] = {
        "title": TITLES[key],
        "help": short(key),
        "link": link_to_term(key),
    }
    if key not in maps:
        return panel | {"missing": _MISSING[key]}
    values = maps[key]
    panel |= plain_panel(key, values)
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
        "alt": say_map(f"{TITLES[key]} over the face", values, "{:.2f}".format),
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
        named = ", ".join(f"{TITLES[key]} {ranks[key][cell]}" for key in ranks)
        lines.append(
            f"{name_cell(*cell)}: hiding it changes the {score} by "
            f"{points(-maps['occlusion'][cell])}. "
            f"Rank of 49: {named}."
        )
    return lines
