"""A saved evaluation as one self-contained page that opens offline.

Every figure comes from `fervt.metrics` by way of `fervt.evaluation.saved`, and every sentence is
filled by code from these figures.
"""

import base64
import html
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from fervt import __version__
from fervt.checkpoint import CheckpointInfo
from fervt.data.prepared import PreparedData
from fervt.evaluation import references
from fervt.evaluation.comparison import Joined, compare, join_evaluations
from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.words import (
    COPIES_AND_MIRRORED,
    DIAGONAL,
    HUMAN_ACCURACY,
    PEOPLE,
    RECALL_AND_PRECISION,
    caveats,
    describe_difference,
    describe_interval,
    describe_tools,
    describe_worst_mistake,
    explain_mcnemar,
)
from fervt.figures.evaluation_bars import class_figure, people_figure, standing_figure
from fervt.figures.evaluation_confusion import confusion_change_figure, confusion_figure
from fervt.figures.evaluation_curves import reliability_figure, risk_figure, training_figure
from fervt.labels import FER2013, NOTICE, SPLITS, expression
from fervt.metrics import (
    PEOPLE_SIDE_WITH_LABEL,
    ClassScores,
    mcnemar,
    reliability,
    risk_coverage,
)
from fervt.reports.card import (
    CARD,
    ablation_table,
    parts_table,
    section,
    training_ablation_table,
)

_EXAMPLES = 12
_EXAMPLE_PX = 96

_STYLE = """
:root{color-scheme:light dark;--ink:#1e2033;--soft:#55586f;--line:#dcddec;--page:#fff;
--tint:#f4f4fb}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e7e8f3;--soft:#a9abc4;--line:#34374d;
--page:#13141f;--tint:#1d1f2e}}
body{font:16px/1.55 system-ui,sans-serif;max-width:980px;margin:2rem auto;padding:0 1rem;
color:var(--ink);background:var(--page)}
h1{margin-bottom:.25rem}h2{margin:2.2rem 0 .3rem}p{margin:.3rem 0 .8rem}
.note{color:var(--soft);font-size:14px}.scroll{overflow-x:auto}
.summary{background:var(--tint);border:1px solid var(--line);border-radius:8px;padding:.4rem 1.2rem}
table{border-collapse:collapse;font-size:14px;margin:.4rem 0}
td,th{padding:.28rem .8rem;border-bottom:1px solid var(--line);text-align:right}
td:first-child,th:first-child{text-align:left}
.faces{display:flex;flex-wrap:wrap;gap:.6rem}.faces figure{margin:0;width:96px}
.faces img{width:96px;border-radius:4px}.faces figcaption{font-size:12px;color:var(--soft)}
a{color:inherit}code{overflow-wrap:anywhere}
.js-plotly-plot :is(.xtick,.x2tick,.x3tick,.ytick,.y2tick,.y3tick,.legend,[class^=g-x],[class^=g-y],
.textpoint,.infolayer .annotation) text:not([style*="255, 255, 255"]){fill:var(--ink)!important}
.js-plotly-plot .gridlayer path{stroke:var(--line)!important}
@media print{body{margin:0;max-width:none}section{break-inside:avoid}}
"""


def build_report(
    evaluation: SavedEvaluation,
    *,
    info: CheckpointInfo | None = None,
    against: SavedEvaluation | None = None,
    data: PreparedData | None = None,
    now: datetime | None = None,
) -> str:
    """Writes a report.

    Args:
        evaluation: What it is about.
        info: The checkpoint's metadata, for the training history.
        against: Another evaluation of the same split, to compare with.
        data: The split's faces, for examples.
        now: The date on it.

    Returns:
        HTML.

    Raises:
        DataError: There are no rows, or the two evaluations cannot be compared.
    """
    rows = evaluation.rows()
    blocks: list[str] = []
    for number, (heading, note, parts) in enumerate(
        _sections(evaluation, rows, info, against, data)
    ):
        body = "".join(
            _figure_html(part) if isinstance(part, go.Figure) else part for part in parts
        )
        blocks.append(
            f"<section id='s{number}'><h2>{html.escape(heading)}</h2>"
            f"<p class='note'>{html.escape(note)}</p>{body}</section>"
        )
    date = (now or datetime.now(UTC)).strftime("%Y-%m-%d")
    title = f"{evaluation.title} on {evaluation.split}"
    library = f"<script>{get_plotlyjs()}</script>"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>{library}</head><body>"
        f"<h1>{html.escape(title)}</h1><p class='note'>fervt {__version__}, {date}. {NOTICE}</p>"
        f"<div class='summary'>{_paragraphs(summarize(evaluation, rows, against))}</div>"
        f"{''.join(blocks)}</body></html>"
    )


def summarize(
    evaluation: SavedEvaluation, rows: Rows, against: SavedEvaluation | None = None
) -> list[str]:
    """The summary of the report in sentences."""
    scores, truth = rows.scores, evaluation.truth
    unseen = " that it was not trained on" if evaluation.split in SPLITS[1:] else ""
    worst, best = scores.occurring[0], scores.occurring[-1]
    sentences = [
        f"{evaluation.title} names the labeled expression in {scores.accuracy:.1%} of "
        f"{scores.n:,} faces of {evaluation.split}{unseen} (95% interval "
        f"{describe_interval(scores)}).",
        f"It is best at {expression(best).name} (F1 {scores.per_class[best].f1:.2f}) and weakest "
        f"at {expression(worst).name} (F1 {scores.per_class[worst].f1:.2f}). Its most frequent "
        f"mistake is {describe_worst_mistake(scores)}.",
        f"When it states a confidence, it is off by "
        f"{100 * scores.ece_calibrated:.1f} points on average.",
    ]
    if truth is FER2013 and not evaluation.of_own_images:
        sentences.append(f"People reach {HUMAN_ACCURACY} on this data set.")
        sides = rows.people
        errors = int((sides >= 0).sum())
        if errors and rows.has_votes:
            other = errors - int((sides == PEOPLE_SIDE_WITH_LABEL).sum())
            sentences.append(
                f"In {other:,} of its {errors:,} errors ({other / errors:.0%}), the majority of "
                "ten later annotators does not back the label either."
            )
    sentences += caveats(evaluation.metrics, truth)
    if against is not None:
        sentences.append(_verdict(against, evaluation))
    return sentences


def _verdict(against: SavedEvaluation, evaluation: SavedEvaluation) -> str:
    joined = _join(against, evaluation)
    old, new = joined.rows
    difference, test = compare(old, new)["accuracy"], mcnemar(old.right, new.right)
    where = f", on the {len(new):,} faces that both have" if len(new) < joined.longest else ""
    return (
        f"Against {against.title}{where}: {describe_difference(difference)} "
        f"{explain_mcnemar(test, against.title, evaluation.title)}"
    )


def _join(against: SavedEvaluation, evaluation: SavedEvaluation) -> Joined:
    return join_evaluations([against, evaluation], evaluation.truth, tta=False, copies=True)


Section = tuple[str, str, list[Any]]


def _sections(
    evaluation: SavedEvaluation,
    rows: Rows,
    info: CheckpointInfo | None,
    against: SavedEvaluation | None,
    data: PreparedData | None,
) -> Iterator[Section]:
    names = [expression(label).name for label in rows.classes]
    yield (
        "Headline",
        COPIES_AND_MIRRORED,
        [_ways(evaluation)],
    )
    if evaluation.truth is FER2013 and not evaluation.of_own_images:
        yield "Beside people and other tools", _standing_note(evaluation), [_standing(evaluation)]
    yield (
        "Where it fails",
        "Rows are labels, columns predictions; shares of each row.",
        [confusion_figure(np.array(rows.scores.confusion), names)],
    )
    per_class = rows.scores.per_class
    values = [
        np.array([getattr(per_class[c], k) for c in rows.classes])
        for k in ("precision", "recall", "f1")
    ]
    yield (
        "Each class",
        RECALL_AND_PRECISION,
        [class_figure(rows.classes, *values), _class_table(per_class)],
    )
    yield from _confidence(evaluation, rows)
    counts = [int((rows.people == side).sum()) for side in PEOPLE]
    if sum(counts) and rows.has_votes:
        note = f"{sum(counts):,} errors, by the majority of FER+'s ten annotators of each face."
        yield "Did people disagree, too?", note, [people_figure(counts, list(PEOPLE.values()))]
    if data is not None:
        yield from _examples(rows, data)
    if against is not None:
        yield _comparison(against, evaluation)
    if info is not None and info.history:
        figure = training_figure(info.history, info.metrics.get("epoch"))
        yield "Training", "Training figures are of augmented, regularised batches.", [figure]
    metrics = evaluation.metrics
    parts = [
        parts_table(metrics),
        ablation_table(evaluation.name, metrics.checkpoint.sha256),
        training_ablation_table(),
    ]
    yield (
        "Which parts do work",
        "Measured on the same faces unless it says otherwise.",
        [to_html(p) for p in parts if p],
    )
    card = CARD.read_text() if CARD.is_file() else ""
    for heading in ("Not for", "Limitations"):
        if text := section(card, heading):
            yield heading, "From the model card.", [to_html(text)]
    yield "Where this comes from", "Enough to repeat it.", [_provenance(evaluation)]


def _ways(evaluation: SavedEvaluation) -> str:
    lines = []
    for way, part in evaluation.ways():
        scores = part.scores
        lines.append(
            (
                way,
                f"{scores.accuracy:.2%}",
                describe_interval(scores),
                f"{scores.macro_f1:.3f}",
                f"{scores.ece_calibrated:.3f}",
                f"{scores.nll_calibrated:.3f}",
                f"{scores.n:,}",
            )
        )
    return _table(
        ("", "Accuracy", "95% interval", "Macro-F1", "Calibration error", "Log loss", "n"), lines
    )


def _standing_note(evaluation: SavedEvaluation) -> str:
    return f"People: {references.HUMAN_SOURCE}. {describe_tools(evaluation.split)}"


def _standing(evaluation: SavedEvaluation) -> go.Figure:
    return standing_figure(*references.standing(evaluation.name, evaluation.rows().scores))


def _class_table(per_class: dict[str, ClassScores]) -> str:
    lines = [
        (
            expression(label).name,
            f"{scores.precision:.1%}",
            f"{scores.recall:.1%}",
            f"{scores.f1:.3f}",
            f"{scores.support:,}",
        )
        for label, scores in per_class.items()
    ]
    return _table(("", "Precision", "Recall", "F1", "Faces"), lines)


def _confidence(evaluation: SavedEvaluation, rows: Rows) -> Iterator[Section]:
    bins = {
        "as trained": reliability(rows.probabilities, rows.labels),
        f"temperature {rows.temperature:.2f}": reliability(rows.calibrated, rows.labels),
    }
    yield (
        "Can its confidence be believed?",
        f"{DIAGONAL} Calibration error {rows.scores.ece:.3f} as trained, "
        f"{rows.scores.ece_calibrated:.3f} with the temperature that was fitted on PublicTest.",
        [
            reliability_figure(
                {name: (b.confidence, b.accuracy, b.count) for name, b in bins.items()}
            )
        ],
    )
    curve = risk_coverage(rows.calibrated, rows.labels)
    coverage, risk = curve.at(0.5)
    said = (
        "."
        if risk is None
        else f": asked to answer only when at least 50% sure, it answers for {coverage:.1%} of the "
        f"faces and is right in {1 - risk:.1%} of them."
    )
    yield (
        "Answering only when sure",
        f"The surer it must be, the fewer faces it answers for and the fewer errors it makes{said}",
        [
            risk_figure(
                {evaluation.name: (curve.coverage, curve.risk)},
                None if risk is None else (coverage, risk),
            )
        ],
    )


def _examples(rows: Rows, data: PreparedData) -> Iterator[Section]:
    at = {digest: i for i, digest in enumerate(data.sha256.tolist())}
    names = [expression(label).name for label in rows.classes]
    order = np.argsort(-rows.calibrated.max(axis=1), kind="stable")
    for heading, mask in (("Surest when right", rows.right), ("Surest when wrong", ~rows.right)):
        faces = []
        for i in [i for i in order if mask[i]][:_EXAMPLES]:
            where = at.get(str(rows.table.iloc[i]["image_sha256"]))
            if where is None:
                continue
            label, answer = names[rows.labels[i]], names[rows.predicted[i]]
            sure = f"{rows.calibrated[i].max():.0%}"
            said = f"{answer} {sure}" if mask is rows.right else f"{label} → {answer} {sure}"
            faces.append(
                f"<figure><img alt='{html.escape(said)}' src='{_png(data.images[where])}'>"
                f"<figcaption>{html.escape(said)}</figcaption></figure>"
            )
        if faces:
            yield heading, "Label → prediction.", [f"<div class='faces'>{''.join(faces)}</div>"]


def _png(face: np.ndarray) -> str:
    large = cv2.resize(face, (_EXAMPLE_PX, _EXAMPLE_PX), interpolation=cv2.INTER_CUBIC)
    return (
        "data:image/png;base64,"
        + base64.b64encode(cv2.imencode(".png", large)[1].tobytes()).decode()
    )


def _comparison(against: SavedEvaluation, evaluation: SavedEvaluation) -> Section:
    joined = _join(against, evaluation)
    old, new = joined.rows
    differences = compare(old, new)
    lines = [
        (
            title,
            form.format(getattr(old.scores, key)),
            form.format(getattr(new.scores, key)),
            f"{scale * d.value:+.{digits}f}",
            f"{scale * d.low:+.{digits}f} to {scale * d.high:+.{digits}f}",
        )
        for title, key, form, scale, digits in (
            ("Accuracy", "accuracy", "{:.2%}", 100, 2),
            ("Macro-F1", "macro_f1", "{:.3f}", 1, 3),
        )
        for d in [differences[key]]
    ]
    names = against.title, evaluation.title
    table = _table(("", *names, "Difference", "95% (paired)"), lines)
    left_out = f" Without {', '.join(joined.left_out)}." if joined.left_out else ""
    note = (
        f"{len(new):,} of {joined.longest:,} faces are in both.{left_out} "
        f"{explain_mcnemar(mcnemar(old.right, new.right), *names)}"
    )
    change = new.scores.confusion_shares - old.scores.confusion_shares
    classes = [expression(label).name for label in new.classes]
    caption = "<p class='note'>Change of each row's shares in points; red is more often.</p>"
    return (
        f"Against {names[0]}",
        note,
        [table, caption, confusion_change_figure(change, classes)],
    )


def _provenance(evaluation: SavedEvaluation) -> str:
    metrics, data = evaluation.metrics, evaluation.metrics.data
    facts = (
        ("Checkpoint", evaluation.name),
        ("Its SHA-256", metrics.checkpoint.sha256),
        ("Trained on labels of", ", ".join(metrics.labels_seen)),
        ("Measured on labels of", evaluation.truth.title),
        ("Split", f"{data.split}, by {data.split_rule}"),
        ("Data", f"{data.source}, content hash {data.content_hash}"),
        (
            "Protocol",
            "fitted on Training, every choice made on PublicTest, PrivateTest read once",
        ),
        ("Switched off", metrics.neutralized.upper() if metrics.neutralized else "nothing"),
        ("Evaluated with", f"fervt {metrics.version}"),
    )
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td><td style='text-align:left'><code>{html.escape(value)}"
        "</code></td></tr>"
        for name, value in facts
    )
    return f"<div class='scroll'><table>{cells}</table></div>"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

    body = "".join(row(line, "td") for line in lines)
    return f"<div class='scroll'><table>{row(heads, 'th')}{body}</table></div>"


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)


def to_html(markdown: str) -> str:
    """The subset of Markdown that the card uses: paragraphs, lists, tables, bold, code."""
    blocks = []
    for block in re.split(r"\n\s*\n", markdown.strip()):
        lines = block.strip().split("\n")
        if lines[0].startswith("|"):
            cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
            blocks.append(_table(cells[0], cells[2:]))
        elif lines[0].startswith("- "):
            items = re.split(r"\n- ", block.strip()[2:])
            blocks.append("<ul>" + "".join(f"<li>{_inline(i)}</li>" for i in items) + "</ul>")
        else:
            blocks.append(f"<p>{_inline(block)}</p>")
    return "".join(blocks)


def _inline(text: str) -> str:
    text = html.escape(" ".join(text.split()), quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", text)


def _figure_html(figure: go.Figure) -> str:
    figure.update_layout(
        template="plotly_white",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        width=None,
    )
    inner = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        default_width="100%",
        config={"displayModeBar": False, "responsive": True},
    )
    return f"<div class='scroll'>{inner}</div>"
