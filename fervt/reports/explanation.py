"""The explanation of one face as files: a self-contained page, pictures and arrays."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup
from numpy.typing import NDArray

from fervt import __version__
from fervt.draw import draw_boxes, draw_graph, draw_overlay, png_bytes
from fervt.evaluation.certainty import measure_threshold, say_prediction
from fervt.evaluation.same_map import SameMap, find_same_map
from fervt.explain import (
    SOURCES,
    Explanation,
    Target,
    attention_rollout,
    edge_attention,
    facts_as_text,
    graph_facts,
    node_similarity,
    rank_correlations,
    seen_part,
    stage_statistics,
)
from fervt.explain.regions import describe_drops, hide_regions
from fervt.faces import Box
from fervt.figures.grid import encode_picture
from fervt.figures.stages import effect_figure
from fervt.figures.tint import map_scale
from fervt.files import write_together
from fervt.labels import NOTICE, expression
from fervt.predict import Predictor, to_face
from fervt.reports.render import Section, Still, Table, render
from fervt.reports.still import (
    effect_bars,
    key_html,
    matrix_picture,
    matrix_table,
    probability_bars,
)

PAGE = "explanation.html"
PICTURES = {f"{name}.png" for name in ("model_input", *SOURCES, "gat_graph")}
"""A bundle's page and its pictures; not every checkpoint has all of them."""

_PHOTO_PX = 900  # its longer side: twice the size at which it is shown
_QUALITY = 85  # of JPEG: the page is sent by mail
_EDGES = 10  # all 168 cannot be read


@dataclass(frozen=True, eq=False)
class Photo:
    """Where an explained face comes from.

    Attributes:
        rgb: (h, w, 3) uint8, the whole photo.
        name: Its display name.
        box_xyxy_px: Of the face: left, top, right, bottom in pixels of the photo.
        angle_deg: How far the face is tilted clockwise.
    """

    rgb: NDArray[np.uint8]
    name: str
    box_xyxy_px: Box
    angle_deg: float = 0.0


def bundle_files(
    predictor: Predictor,
    explanation: Explanation,
    target: Target,
    crop_rgb: NDArray[np.uint8],
    photo: Photo | None = None,
    now: datetime | None = None,
    threshold: float | None = None,
) -> dict[str, bytes]:
    """Makes all files of a bundle.

    Args:
        predictor: The checkpoint.
        explanation: Its explanation of the face.
        target: The class that is explained.
        crop_rgb: (h, h, 3) uint8, the face's crop.
        photo: The whole photo, for the page's first screen; None shows the crop there.
        now: The date on the page.
        threshold: Below which the answer is called unsure; `measure_threshold` by default.

    Returns:
        Contents by file name: `explanation.html`, `arrays.npz`, `model_input.png`, and an overlay
        `<source>.png` for every source of evidence, `gat_graph.png` for the graph.
    """
    seen = seen_part(crop_rgb, predictor.info.preprocess.crop)
    if threshold is None:
        threshold = measure_threshold(predictor.sha256)
    page = _html(
        predictor, explanation, target, crop_rgb, photo, now or datetime.now(UTC), threshold
    )
    files = {
        PAGE: page.encode(),
        "arrays.npz": _arrays(predictor, explanation, target),
        "model_input.png": png_bytes(_rgb(explanation.trace.model_input)),
    }
    for key, values in explanation.maps(target).items():
        files[f"{key}.png"] = png_bytes(_overlay(seen, key, values))
    trace = explanation.trace
    if trace.gat_attention is not None and trace.edge_index is not None:
        graph = draw_graph(seen, trace.edge_index, edge_attention(trace.gat_attention))
        files["gat_graph.png"] = png_bytes(graph)
    return files


def write_bundle(folder: Path, files: dict[str, bytes]) -> None:
    """Writes the files into a folder, all or none; other pictures of an earlier bundle go."""
    earlier = PICTURES - files.keys() if (folder / PAGE).is_file() else set()
    write_together(folder, files, remove=earlier)


def zip_bundle(files: dict[str, bytes]) -> bytes:
    """Packs the files into one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _arrays(predictor: Predictor, explanation: Explanation, target: Target) -> bytes:
    trace = explanation.trace
    found = {name: value for name, value in vars(trace).items() if isinstance(value, np.ndarray)}
    found |= {f"evidence_{key}": values for key, values in explanation.maps(target).items()}
    found |= {
        "hidden_probabilities": explanation.hidden_probabilities,
        "class_maps": explanation.class_maps,
        "rollout": attention_rollout(trace.transformer_attention),
        "part_probabilities": np.stack([part.probabilities for part in explanation.parts]),
        "about": np.array(
            json.dumps(
                {
                    "checkpoint": predictor.name,
                    "classes": trace.vocabulary.classes,
                    "target": target.describe(trace.vocabulary),
                    "tokens": trace.token_names,
                    "parts": [part.name for part in explanation.parts],
                }
            )
        ),
    }
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **found)
    return packed.getvalue()


def _html(
    predictor: Predictor,
    explanation: Explanation,
    target: Target,
    crop_rgb: NDArray[np.uint8],
    photo: Photo | None,
    now: datetime,
    threshold: float,
) -> str:
    trace = explanation.trace
    leading = expression(trace.vocabulary.classes[int(trace.probabilities.argmax())])
    effects = hide_regions(predictor, to_face(crop_rgb))
    plain = float(target.score(effects.plain))
    drops = {name: plain - float(target.score(x)) for name, x in effects.hidden.items()}
    about = f"For {target.describe(trace.vocabulary)}: " if target != explanation.predicted else ""
    if photo is None:
        picture, caption = crop_rgb, "The face as it was cut out."
    else:
        color = [leading.color]
        picture = draw_boxes(photo.rgb, [photo.box_xyxy_px], [""], color, [photo.angle_deg])
        caption = photo.name
    return render(
        "explanation.html",
        title=f"Why {target.describe(trace.vocabulary)}?",
        notice=NOTICE,
        date=now.strftime("%Y-%m-%d"),
        version=__version__,
        checkpoint=predictor.name,
        sha256=predictor.sha256,
        photo=encode_picture(picture, _PHOTO_PX, _QUALITY),
        photo_alt=caption if photo is None else f"{caption} with the explained face boxed",
        photo_caption=caption,
        answer=say_prediction(trace.probabilities, trace.vocabulary.classes, threshold),
        reason=about + describe_drops(drops),
        bars=probability_bars(trace.probabilities, trace.vocabulary.classes),
        sections=list(
            _sections(
                explanation,
                target,
                seen_part(crop_rgb, predictor.info.preprocess.crop),
                find_same_map(predictor.sha256),
            )
        ),
    )


def _sections(
    explanation: Explanation, target: Target, seen: NDArray[np.uint8], same: SameMap | None
) -> Iterator[Section]:
    """Each section has one picture or table, or says what is missing."""
    trace, maps = explanation.trace, explanation.maps(target)
    for key, source in SOURCES.items():
        if key in maps:
            meaning = source.meaning
            if key == "gwa" and same is not None:
                meaning = f"{meaning} {same.said}"
            yield Section(source.title, meaning, list(_map(seen, key, maps[key])))
        else:
            yield Section(source.title, "This checkpoint has no such part.", [])
    if trace.gat_attention is not None and trace.edge_index is not None:
        graph = draw_graph(
            seen, trace.edge_index, edge_attention(trace.gat_attention), strongest=_EDGES
        )
        yield Section(
            "Graph attention, edge by edge",
            f"The {_EDGES} strongest edges, mean of layers and heads; an arrow points at the cell "
            f"that draws on the other. {facts_as_text(graph_facts(trace.edge_index))}",
            [Still(_picture(graph, "Arrows between cells of the face, the strongest edges"))],
        )
    names = [SOURCES[key].title for key in maps]
    yield Section(
        "Do the sources agree?",
        "Spearman's rank correlation between the maps: 1 means the same order of cells.",
        [Still(matrix_table(rank_correlations(maps), names, names, -1, 1))],
    )
    rollout = attention_rollout(trace.transformer_attention)
    yield Section(
        "Tokens",
        "Attention rolled out through all blocks: the first row is what the class token draws on.",
        [Still(matrix_table(rollout, trace.token_names[: len(rollout)], trace.token_names, 0, 1))],
    )
    yield Section(
        "What each part is worth",
        f"The change in the {target.describe_score(trace.vocabulary)} without it.",
        [Still(effect_bars(*part_effects(explanation, target)))],
    )
    for word, nodes in (("before", trace.node_features), ("after", trace.graph_features)):
        if nodes is not None:
            title = f"Node similarity {word} graph attention"
            yield Section(
                title,
                "Cosine between the features of the 49 cells, row by row.",
                [
                    Still(matrix_picture(node_similarity(nodes), -1, 1, title)),
                    Still(key_html(-1, 1, "cosine")),
                ],
            )
    yield Section("Numbers of every stage", "For this face.", [_statistics_table(explanation)])


def _map(seen: NDArray[np.uint8], key: str, values: NDArray[np.floating]) -> Iterator[Still]:
    source = SOURCES[key]
    row, column = divmod(int(values.argmax()), values.shape[1])
    alt = f"{source.title} over the face, strongest at row {row}, column {column} of 0 to 6"
    yield Still(_picture(_overlay(seen, key, values), alt))
    low, high = _range(key, values)
    yield Still(key_html(low, high, source.unit, map_scale(source.signed)))


def _picture(picture_rgb: NDArray[np.uint8], alt: str) -> Markup:
    """As a JPEG, a tenth of a PNG's size."""
    source = encode_picture(picture_rgb, picture_rgb.shape[0], _QUALITY)
    return Markup('<img class="map" alt="{}" src="{}">').format(alt, source)


def _overlay(seen: NDArray[np.uint8], key: str, values: NDArray[np.floating]) -> NDArray[np.uint8]:
    low, high = _range(key, values)
    return draw_overlay(seen, values, low, high, signed=SOURCES[key].signed)


def _range(key: str, values: NDArray[np.floating]) -> tuple[float, float]:
    source = SOURCES[key]
    high = float(np.abs(values).max()) if source.neutral == 0 else max(2.0, float(values.max()))
    return (-high if source.signed else source.neutral), high


def overlay_options(key: str, values: NDArray[np.floating]) -> dict:
    """How a source's map is drawn: its unit, whether 0 is the middle, and its color range."""
    source = SOURCES[key]
    high = 2.0 if source.neutral else max(0.05 if source.signed else 0.0, float(values.max()))
    return {"unit": source.unit, "signed": source.signed, "range_": (source.neutral, high or 1.0)}


def part_figure(explanation: Explanation, target: Target) -> go.Figure:
    """How the target's score changes without each part."""
    return effect_figure(*part_effects(explanation, target), f"change of the {target.unit}")


def part_effects(
    explanation: Explanation, target: Target
) -> tuple[list[str], NDArray[np.floating]]:
    """The parts' names, and how the target's score changes without each."""
    plain = target.score(explanation.trace.probabilities)
    scores = np.array([target.score(part.probabilities) for part in explanation.parts])
    return [part.name for part in explanation.parts], scores - plain


def _statistics_table(explanation: Explanation) -> Table:
    heads = ("stage", "shape", "mean", "std", "min", "max", "share of NaN")
    rows = [
        (s.stage, s.shape, *(f"{v:.3g}" for v in (s.mean, s.std, s.min, s.max)), f"{s.nan_share:g}")
        for s in stage_statistics(explanation.trace)
    ]
    return Table(heads, rows)


def _rgb(gray: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.rint(255 * gray[..., None].repeat(3, axis=-1)).astype(np.uint8)
