"""The explanation of one face as files: a self-contained page, pictures and arrays."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fervt.draw import draw_graph, draw_overlay
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
from fervt.figures.graph import graph_figure
from fervt.figures.matrix import correlation_figure, similarity_figure, token_attention_figure
from fervt.figures.overlay import overlay_figure
from fervt.figures.probabilities import plot_probabilities
from fervt.figures.stages import effect_figure
from fervt.files import write_aside
from fervt.labels import NOTICE
from fervt.predict import Predictor
from fervt.reports.render import Chart, Section, Table, render


def bundle_files(
    predictor: Predictor, explanation: Explanation, target: Target, crop_rgb: NDArray[np.uint8]
) -> dict[str, bytes]:
    """Makes all files of a bundle.

    Args:
        predictor: The checkpoint that was asked.
        explanation: What it said of the face.
        target: The class that is explained.
        crop_rgb: (h, h, 3) uint8, the face's crop.

    Returns:
        Contents by file name: `explanation.html`, `arrays.npz`, `model_input.png`, and an overlay
        `<source>.png` for every source of evidence, `gat_graph.png` for the graph.
    """
    seen = seen_part(crop_rgb, predictor.info.preprocess.crop)
    files = {
        "explanation.html": _html(predictor, explanation, target, seen).encode(),
        "arrays.npz": _arrays(predictor, explanation, target),
        "model_input.png": _png(_rgb(explanation.trace.model_input)),
    }
    for key, values in explanation.maps(target).items():
        source = SOURCES[key]
        low, high = (0.0, max(2.0, float(values.max())))
        if source.neutral == 0:
            high = float(np.abs(values).max())
        picture = draw_overlay(seen, values, low, high, signed=source.signed)
        files[f"{key}.png"] = _png(picture)
    trace = explanation.trace
    if trace.gat_attention is not None and trace.edge_index is not None:
        graph = draw_graph(seen, trace.edge_index, edge_attention(trace.gat_attention))
        files["gat_graph.png"] = _png(graph)
    return files


def write_bundle(folder: Path, files: dict[str, bytes]) -> None:
    """Writes the files into a folder, each as a whole; the folder is made where it is missing."""
    for name, content in files.items():
        with write_aside(folder / name) as aside:
            aside.write_bytes(content)


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
    predictor: Predictor, explanation: Explanation, target: Target, seen: NDArray[np.uint8]
) -> str:
    title = f"{target.describe(explanation.trace.vocabulary)}: an explanation by {predictor.name}"
    return render(
        "explanation.html",
        title=title,
        notice=NOTICE,
        sections=list(_sections(explanation, target, seen)),
    )


def _sections(
    explanation: Explanation, target: Target, seen: NDArray[np.uint8]
) -> Iterator[Section]:
    """Every section has one figure or table, or says what is missing."""
    trace, maps = explanation.trace, explanation.maps(target)
    yield Section(
        "Prediction",
        "Calibrated probabilities of the apparent expressions.",
        [Chart(plot_probabilities(trace.probabilities, trace.vocabulary.classes))],
    )
    for key, source in SOURCES.items():
        if key in maps:
            figure = overlay_figure(seen, maps[key], **overlay_options(key, maps[key]))
            yield Section(source.title, source.meaning, [Chart(figure)])
        else:
            yield Section(source.title, "This checkpoint has no such part.", [])
    if trace.gat_attention is not None and trace.edge_index is not None:
        yield Section(
            "The attention graph",
            "Mean of layers and heads; an arrow points at the cell that draws on the other. "
            + facts_as_text(graph_facts(trace.edge_index)),
            [Chart(graph_figure(seen, trace.edge_index, edge_attention(trace.gat_attention)))],
        )
    yield Section(
        "Do the sources agree?",
        "Spearman's rank correlation between the maps: 1 is the same order of cells.",
        [Chart(correlation_figure(rank_correlations(maps), [SOURCES[key].title for key in maps]))],
    )
    yield Section(
        "Tokens",
        "Attention rolled out through all blocks: the first row is what the class token is of.",
        [
            Chart(
                token_attention_figure(
                    attention_rollout(trace.transformer_attention), trace.token_names
                )
            )
        ],
    )
    yield Section(
        "What each part is worth",
        f"The change of the {target.describe_score(trace.vocabulary)} without it.",
        [Chart(part_figure(explanation, target))],
    )
    for word, nodes in (("before", trace.node_features), ("after", trace.graph_features)):
        if nodes is not None:
            yield Section(
                f"Node similarity {word} the graph attention",
                "Cosine between the features of the 49 cells, row by row.",
                [Chart(similarity_figure(node_similarity(nodes), None))],
            )
    yield Section("Numbers of every stage", "For this face.", [_statistics_table(explanation)])


def overlay_options(key: str, values: NDArray[np.floating]) -> dict:
    """How a source's map is drawn: its unit, whether 0 is the middle, and its colors' range."""
    source = SOURCES[key]
    high = 2.0 if source.neutral else max(0.05 if source.signed else 0.0, float(values.max()))
    return {"unit": source.unit, "signed": source.signed, "range_": (0.0, high or 1.0)}


def part_figure(explanation: Explanation, target: Target) -> go.Figure:
    """How the target's score changes without each part."""
    plain = target.score(explanation.trace.probabilities)
    effects = np.array([target.score(part.probabilities) - plain for part in explanation.parts])
    names = [part.name for part in explanation.parts]
    return effect_figure(names, effects, f"change of the {target.unit}")


def _statistics_table(explanation: Explanation) -> Table:
    heads = ("stage", "shape", "mean", "std", "min", "max", "share of NaN")
    rows = [
        (s.stage, s.shape, *(f"{v:.3g}" for v in (s.mean, s.std, s.min, s.max)), f"{s.nan_share:g}")
        for s in stage_statistics(explanation.trace)
    ]
    return Table(heads, rows)


def _rgb(gray: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.rint(255 * gray[..., None].repeat(3, axis=-1)).astype(np.uint8)


def _png(picture_rgb: NDArray[np.uint8]) -> bytes:
    _, data = cv2.imencode(".png", cv2.cvtColor(picture_rgb, cv2.COLOR_RGB2BGR))
    return data.tobytes()
