"""The model card: the text is a template, the figures come from the checkpoint's files."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, meta
from markdown_it import MarkdownIt

from fervt import __version__
from fervt.amounts import points
from fervt.checkpoint import CheckpointInfo, read_info
from fervt.errors import ConfigError
from fervt.evaluation.corruptions import CORRUPTIONS
from fervt.evaluation.metrics import Metrics, Part
from fervt.evaluation.parts_report import (
    CHANGES_HEADER,
    changes_table,
    describe_following,
    describe_rows,
    describe_wrong_map,
)
from fervt.evaluation.robustness import corruption_error, curves, describe_limits
from fervt.evaluation.saved import SavedEvaluation, read_evaluation
from fervt.evaluation.store import CheckpointFacts, EvaluationStore, describe_checkpoint
from fervt.evaluation.words import (
    HUMAN_ACCURACY,
    LABEL_AGREEMENT,
    describe_interval,
    describe_worst_mistake,
)
from fervt.labels import FER2013, expression, vocabulary
from fervt.metrics import ClassScores, Scores
from fervt.reports.retrained import training_ablation_table
from fervt.resources import ASSETS

CARD = ASSETS / "MODEL_CARD.md"
UNKNOWN = "*not evaluated yet*"

_MARKDOWN = Environment(keep_trailing_newline=True)  # escapes nothing: it writes no HTML
_PARTS = {
    "gwa_std_over_cells": "GWA weights, standard deviation over a face's cells (0 = all alike)",
    "gwa_std_over_images": "GWA weights, standard deviation over faces (0 = the same for all)",
    "gwa_max": "GWA weights, largest (1 = average)",
    "gnn_readout_accuracy": "accuracy of the graph's vector alone",
    "gat_relative_entropy": "graph attention, entropy as a share of its maximum (1 = even)",
}
_NEUTRALIZED: dict[Part, str] = {
    "gwa": "GWA weights all 1",
    "gnn": "graph vector replaced by its mean",
}


def render_card(name: str, path: Path, text: str | None = None) -> str:
    """Fills a model card's placeholders for a checkpoint.

    Args:
        name: The checkpoint's.
        path: Its file.
        text: The card; the shipped one by default.

    Returns:
        Markdown.

    Raises:
        ConfigError: The card has an unknown placeholder.
        CheckpointError: The checkpoint cannot be read.
        DataError: A saved evaluation is damaged.
    """
    return fill(CARD.read_text(encoding="utf-8") if text is None else text, card_facts(name, path))


def fill(text: str, facts: dict[str, str]) -> str:
    """Replaces every `{{name}}` of a text.

    Raises:
        ConfigError: A name is unknown.
    """
    unknown = sorted(meta.find_undeclared_variables(_MARKDOWN.parse(text)) - facts.keys())
    if unknown:
        raise ConfigError(f"The model card has the unknown placeholder '{unknown[0]}'.")
    return _MARKDOWN.from_string(text).render(facts)


def card_facts(name: str, path: Path) -> dict[str, str]:
    """All figures of a card, by placeholder; from PrivateTest if it is saved."""
    info, about = read_info(path), describe_checkpoint(name, path)
    metrics = next(iter(EvaluationStore().metrics(name, about.sha256).values()), None)
    return {
        **_about(info, about),
        **figure_facts(metrics),
        "five_crop_note": _five_crop_note(about),
        "parts_table": parts_table(metrics),
        "following": following_text(name, about.sha256),
        "ablation_table": ablation_table(name, about.sha256),
        "training_ablation_table": training_ablation_table(),
        "robustness": robustness_text(name, about.sha256),
        "people_note": _people_note(metrics),
        "version": __version__,
    }


def _people_note(metrics: Metrics | None) -> str:
    if metrics is None or metrics.truth is not FER2013:
        return ""  # FER+'s labels are the majority of these annotators
    return (
        f"**What to compare these figures with.** People reach {HUMAN_ACCURACY} on FER2013, and "
        "the labels of its test split agree with the majority of ten later annotators on only "
        f"{LABEL_AGREEMENT} of the faces: much of what counts as an error here is a matter of "
        "opinion. The Evaluation page shows these cases."
    )


def _five_crop_note(about: CheckpointFacts) -> str:
    headline = next(iter(about.metrics.values()), None)  # of the same split as all other figures
    if headline is None or headline.accuracy_five_crop is None:
        return ""
    return (
        " Averaging over five crops of each face, none mirrored, gives "
        f"{headline.accuracy_five_crop:.1%} on all {headline.n:,} faces."
    )


def _about(info: CheckpointInfo, about: CheckpointFacts) -> dict[str, str]:
    return {
        "checkpoint": about.name,
        "description": info.description or "A FERVT-GNN checkpoint.",
        "classes": ", ".join(info.config.classes.display_names),
        "parameters": f"{about.parameters / 1e6:.2f} million",
        "file_size": f"{about.file_bytes / 1e6:.1f} MB",
        "gmac": f"{about.gmac:.2f}",
        "image_size": str(info.config.image_size),
        "short_sha256": about.sha256[:12],
        "labels_seen": " and ".join(f"{vocabulary(v).title} labels" for v in info.labels_seen),
        "course": _course(info),
        "data_hash": info.data_hash[:12] or "unknown",
        "split_rule": info.split_rule or "an unknown rule",
        "temperature": f"{info.temperature:.2f}",
        "ferplus_note": (
            "**It was trained with FER+ votes too**, which plain FER2013 models lack."
            if "ferplus" in info.labels_seen and info.config.vocabulary == "fer2013"
            else ""
        ),
    }


def _course(info: CheckpointInfo) -> str:
    course = f"{len(info.history)} epochs to the one that was kept, seed {info.seed}"
    if info.parent:
        course += (
            f", starting from an earlier checkpoint's weights (`{info.parent[:12]}`; "
            "docs/experiments.md has the earlier stages)"
        )
    if teachers := info.training.get("teachers"):
        plural = "s" if len(teachers) > 1 else ""
        course += f"; its targets are softened by the answers of {len(teachers)} teacher{plural}"
    distilled, share = (info.training.get(name) for name in ("distilled", "distill_weight"))
    if distilled and share:
        course += (
            f"; {share:.0%} of each target is another checkpoint's answer to the same view "
            f"(`{distilled[:12]}`)"
        )
        if info.training.get("relevance_weight"):
            course += "; GWA was taught which cells that answer rests on"
    if info.training.get("equivariance_weight"):
        course += "; GWA was taught to follow a face that moves"
    if info.training.get("counterfactual_weight"):
        course += "; the answer was taught to need each face's own cell weights"
    if info.training.get("graph_weight"):
        course += "; the answer was taught to need the graph"
    if refit := info.training.get("refit_transformer"):
        course += "; then the transformer alone was trained"
        if refit.get("graph_weight"):
            course += " to rest more on the graph"
    if averaged := info.training.get("averaged"):
        course += f"; its weights are a mean of those of {len(averaged)} checkpoints"
    return course


def figure_facts(metrics: Metrics | None) -> dict[str, str]:
    """The figures of a saved evaluation, by placeholder; unknown figures are marked as such."""
    if metrics is None:
        names = (
            "n split labels accuracy accuracy_interval macro_f1 nll ece accuracy_tta"
            " accuracy_without_copies n_without_copies per_class_table best_class worst_class"
            " worst_mistake"
        )
        return dict.fromkeys(names.split(), UNKNOWN)
    plain, clean = metrics.standard, metrics.without_copies
    return {
        "n": f"{plain.n:,}",
        "split": metrics.data.split,
        "labels": metrics.truth.title,
        "accuracy": f"{plain.accuracy:.1%}",
        "accuracy_interval": describe_interval(plain),
        "macro_f1": f"{plain.macro_f1:.3f}",
        "nll": f"{plain.nll_calibrated:.3f}",
        "ece": f"{100 * plain.ece_calibrated:.1f} points",
        "accuracy_tta": f"{metrics.tta.standard.accuracy:.1%}",
        "accuracy_without_copies": f"{clean.accuracy:.1%}" if clean else UNKNOWN,
        "n_without_copies": f"{clean.n:,}" if clean else UNKNOWN,
        "per_class_table": _class_table(plain.per_class),
        "best_class": expression(plain.occurring[-1]).name,
        "worst_class": expression(plain.occurring[0]).name,
        "worst_mistake": describe_worst_mistake(plain),
    }


def _class_table(per_class: dict[str, ClassScores]) -> str:
    lines = ["| Expression | Precision | Recall | F1 | Faces |", "|---|---|---|---|---|"]
    for label, scores in per_class.items():
        lines.append(
            f"| {expression(label).name} | {scores.precision:.1%} | {scores.recall:.1%} | "
            f"{scores.f1:.3f} | {scores.support:,} |"
        )
    return "\n".join(lines)


def parts_table(metrics: Metrics | None) -> str:
    """How much information GWA, GAT and GNN carry, as a Markdown table."""
    parts = {} if metrics is None else asdict(metrics.parts)
    known = [(about, parts[key]) for key, about in _PARTS.items() if parts.get(key) is not None]
    if not known:
        return UNKNOWN
    lines = ["| On these faces | Value |", "|---|---|"]
    return "\n".join([*lines, *(f"| {about} | {value:.3f} |" for about, value in known)])


def ablation_table(name: str, sha256: str) -> str:
    """The accuracy with each part switched off, as a Markdown table.

    Args:
        name: The checkpoint's.
        sha256: Of its file: a person's own checkpoint may bear a shipped one's name.
    """
    store = EvaluationStore()
    for split, whole in store.metrics(name, sha256).items():
        found = {
            part: metrics.standard
            for part, metrics in store.ablations(name, split).items()
            if metrics.checkpoint.sha256 == sha256
        }
        if found:
            return _ablation_table(split, whole.standard, found)
    return ""


def _ablation_table(split: str, whole: Scores, found: dict[Part, Scores]) -> str:
    about = f"Switched off, without retraining ({split}, n = {whole.n:,})"
    lines = [
        f"| {about} | Accuracy | Change |",
        "|---|---|---|",
        f"| nothing | {whole.accuracy:.1%} | |",
    ]
    for part, scores in found.items():
        lines.append(
            f"| {_NEUTRALIZED[part]} | {scores.accuracy:.1%} | "
            f"{points(scores.accuracy - whole.accuracy)} |"
        )
    return "\n".join(lines)


def following_text(name: str, sha256: str) -> str:
    """Whether attention follows the face, and what replacing it costs, as Markdown.

    Args:
        name: The checkpoint's.
        sha256: Of its file: a person's own checkpoint may bear a shipped one's name.

    Raises:
        DataError: A file is damaged.
    """
    for evaluation in _evaluations(name, sha256):
        report = evaluation.parts()
        if report is None:
            continue
        lines = [
            describe_following(report),
            "",
            describe_rows(report, evaluation.label_set),
            "",
            f"| {' | '.join(CHANGES_HEADER)} |",
            "|---|---|---|",
            *(f"| {' | '.join(line)} |" for line in changes_table(report)),
        ]
        if disturbed := describe_wrong_map(report):
            lines += ["", disturbed]
        return "\n".join(lines)
    return ""


def _evaluations(name: str, sha256: str) -> Iterator[SavedEvaluation]:
    """The saved evaluations of this very file: a person's own may bear a shipped one's name."""
    for folder in EvaluationStore().folders(name).values():
        evaluation = read_evaluation(folder)
        if evaluation.metrics.checkpoint.sha256 == sha256:
            yield evaluation


def robustness_text(name: str, sha256: str) -> str:
    """How well the checkpoint withstands corrupted images, as Markdown.

    Args:
        name: The checkpoint's.
        sha256: Of its file: a person's own checkpoint may bear a shipped one's name.

    Raises:
        DataError: A file is damaged.
    """
    for evaluation in _evaluations(name, sha256):
        found = evaluation.robustness()
        if found is None:
            continue
        labels = evaluation.plain["label"].to_numpy()[found.positions]
        error = corruption_error(found, labels)
        if error is None:
            continue
        lines = [
            "Over ten kinds of corruption, at five strengths each, its mean error is "
            f"**{error.mean:.1%}** (mean corruption error), {100 * error.relative:.1f} points "
            f"above the {error.clean:.1%} on the same {error.n:,} faces of {evaluation.split}, "
            "uncorrupted.",
            "",
            "| Corruption | How much it withstands |",
            "|---|---|",
        ]
        by_kind = curves(found, labels)
        lines += [
            f"| {CORRUPTIONS[k].title} | {describe_limits(k, p)} |" for k, p in by_kind.items()
        ]
        return "\n".join(lines)
    return "*not measured yet*"


def section(text: str, heading: str) -> str:
    """The part of a card below `## heading`, without it; empty where there is none."""
    tokens = MarkdownIt().parse(text)
    starts = [
        (token.map[0], title.content)
        for token, title in pairwise(tokens)
        if token.type == "heading_open" and token.tag == "h2" and token.map
    ]
    lines = text.splitlines()
    for (start, title), (end, _) in pairwise([*starts, (len(lines), "")]):
        if title == heading:
            return "\n".join(lines[start + 1 : end]).strip()
    return ""
