"""A saved evaluation as one self-contained page that needs no network.

Every figure comes from `fervt.metrics` through `fervt.evaluation.saved`, and every sentence is
filled by code from these figures.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from fervt import __version__
from fervt.amounts import percent
from fervt.checkpoint import CheckpointInfo, find_shipped
from fervt.data.prepared import PreparedData
from fervt.evaluation import references
from fervt.evaluation.certainty import measure_threshold
from fervt.evaluation.comparison import join_evaluations, tell_apart
from fervt.evaluation.parts_report import (
    CHANGES_HEADER,
    changes_table,
    describe_following,
    describe_rows,
    describe_wrong_map,
)
from fervt.evaluation.rows import Rows
from fervt.evaluation.saved import SavedEvaluation
from fervt.evaluation.summary import summarize
from fervt.evaluation.words import (
    DIAGONAL,
    PEOPLE,
    RECALL_AND_PRECISION,
    describe_interval,
    describe_tools,
    explain_ways,
)
from fervt.figures.evaluation_bars import class_figure, people_figure, standing_figure
from fervt.figures.evaluation_confusion import confusion_figure
from fervt.figures.evaluation_curves import reliability_figure, risk_figure, training_figures
from fervt.figures.in_words import (
    list_values,
    say_extremes,
    say_mistakes,
    say_people,
    say_reliability,
    say_risk,
    say_training,
)
from fervt.labels import FER2013, NOTICE, Vocabulary, expression
from fervt.metrics import (
    ClassScores,
    reliability,
    risk_coverage,
)
from fervt.reports.card import CARD, ablation_table, parts_table, section
from fervt.reports.comparison import comparison, verdict
from fervt.reports.comparison_evidence import compare_evidence
from fervt.reports.evidence import evidence_sections
from fervt.reports.render import (
    Block,
    Chart,
    Faces,
    Note,
    Prose,
    Row,
    Section,
    Table,
    face_address,
    render,
)
from fervt.reports.retrained import training_ablation_table

_EXAMPLES = 12
_EXAMPLE_PX = 96


def build_report(
    evaluation: SavedEvaluation,
    rows: Rows | None = None,
    *,
    truth: Vocabulary | None = None,
    rule: str = "",
    info: CheckpointInfo | None = None,
    against: SavedEvaluation | None = None,
    data: PreparedData | None = None,
    now: datetime | None = None,
) -> str:
    """Writes a report.

    Args:
        evaluation: The evaluation.
        rows: Those of it that count; all that have a label by default. Any but those of
            `evaluation.rows` have labels that people corrected.
        truth: Whose labels `rows` has; the evaluation's own by default.
        rule: How `rows` were chosen, in sentences.
        info: The checkpoint's metadata, for the training history.
        against: Another evaluation of the same split, to compare with.
        data: The split's faces, for examples.
        now: The date on it.

    Returns:
        HTML.

    Raises:
        DataError: There are no rows, or the two evaluations cannot be compared.
    """
    rows = evaluation.rows() if rows is None else rows
    truth = truth or evaluation.truth
    if against is not None:
        against, evaluation = tell_apart(against, evaluation)
    by = "" if truth is evaluation.truth else f"Measured against {truth.title}'s labels."
    summary = [*filter(None, (by, rule)), *summarize(evaluation, rows, truth, rule)]
    compared: list[Section] = []
    if against is not None:
        names = against.title, evaluation.title
        joined = join_evaluations([against, evaluation], evaluation.truth)
        summary.append(verdict(names, joined))
        compared = [
            comparison(names, joined),
            *compare_evidence(against, evaluation, joined),
        ]
    return render(
        "evaluation.html",
        title=f"{evaluation.title} on {evaluation.split}",
        version=__version__,
        date=(now or datetime.now(UTC)).strftime("%Y-%m-%d"),
        notice=NOTICE,
        summary=summary,
        sections=list(_sections(evaluation, rows, truth, rule, info, compared, data)),
    )


def _sections(
    evaluation: SavedEvaluation,
    rows: Rows,
    truth: Vocabulary,
    rule: str,
    info: CheckpointInfo | None,
    compared: list[Section],
    data: PreparedData | None,
) -> Iterator[Section]:
    names = [expression(label).name for label in rows.classes]
    ways = evaluation.ways(truth)
    saved_labels = any(rows is each for _, each in ways)
    yield Section(
        "Headline",
        explain_ways(evaluation.averagings),
        [_ways(ways if saved_labels else [("with corrected labels", rows)])],
    )
    # People and other tools were measured on all of FER2013's faces, by its own labels.
    if truth is evaluation.truth and evaluation.is_comparable and not rule:
        yield Section(
            "Compared with people and other tools",
            _standing_note(evaluation),
            [_standing(evaluation)],
        )
    yield Section(
        "Where it fails",
        "Rows are labels, columns predictions; shares of each row.",
        [
            Chart(
                confusion_figure(np.array(rows.scores.confusion), names),
                say_mistakes(names, rows.scores.confusion_shares),
            )
        ],
    )
    per_class = rows.scores.per_class
    values = [
        # A class without a face has no figures; the table lists it.
        np.array([getattr(each, k) if each.support else np.nan for each in per_class.values()])
        for k in ("precision", "recall", "f1")
    ]
    yield Section(
        "Each class",
        RECALL_AND_PRECISION,
        [
            Chart(
                class_figure(rows.classes, *values),
                say_extremes("F1", names, values[2], "{:.2f}".format),
            ),
            _class_table(per_class),
        ],
    )
    yield from _confidence(evaluation, rows)
    counts = [int((rows.people == side).sum()) for side in PEOPLE]
    by_other_people = truth is FER2013 and not evaluation.of_own_images and rows.has_votes
    if by_other_people and any(counts):
        note = f"{sum(counts):,} errors, by the majority of FER+'s ten annotators of each face."
        titles = list(PEOPLE.values())
        chart = Chart(people_figure(counts, titles), say_people(counts, titles))
        yield Section("Did people disagree, too?", note, [chart])
    if data is not None:
        yield from _examples(rows, data)
    yield from compared
    if info is not None and info.history:
        figures = training_figures(info.history, info.metrics.get("epoch"))
        yield Section(
            "Training",
            "Training figures are of augmented, regularized batches.",
            [Row([Chart(each, say_training(title, each)) for title, each in figures.items()])],
        )
    yield from evidence_sections(evaluation, rows)
    if truth is evaluation.truth and not rule:
        yield _parts(evaluation)
    card = CARD.read_text(encoding="utf-8") if CARD.is_file() else ""
    for heading in ("Not for", "Limitations"):
        if text := section(card, heading):
            yield Section(heading, "From the model card.", [Prose(text)])
    labels = truth.title if saved_labels else f"{truth.title}, corrected by people"
    origin = _provenance(evaluation, labels)
    yield Section("Where this comes from", "Enough to reproduce it.", [origin])


def _ways(ways: list[tuple[str, Rows]]) -> Table:
    lines = []
    for way, part in ways:
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
    return Table(
        ("Counted", "Accuracy", "95% interval", "Macro-F1", "Calibration error", "Log loss", "n"),
        lines,
    )


def _parts(evaluation: SavedEvaluation) -> Section:
    metrics = evaluation.metrics
    parts = [
        parts_table(metrics),
        ablation_table(evaluation.name, metrics.checkpoint.sha256),
        training_ablation_table() if find_shipped(metrics.checkpoint.sha256) else "",
    ]
    measured = evaluation.parts()
    table: list[Block] = []
    if measured is not None and measured.changes:
        faces = Note(describe_rows(measured, evaluation.label_set))
        table = [faces, Table(CHANGES_HEADER, changes_table(measured))]
        if disturbed := describe_wrong_map(measured):
            table.append(Prose(disturbed))
    return Section(
        "What each part contributes",
        "Measured on the same faces unless stated otherwise."
        if measured is None
        else describe_following(measured),
        [*table, *(Prose(part) for part in parts if part)],
    )


def _standing_note(evaluation: SavedEvaluation) -> str:
    return f"People: {references.HUMAN_SOURCE}. {describe_tools(evaluation.split)}"


def _standing(evaluation: SavedEvaluation) -> Chart:
    names, accuracies, *others = references.standing(evaluation.title, evaluation.rows().scores)
    figure = standing_figure(names, accuracies, *others)
    return Chart(figure, list_values("Accuracy", names, accuracies, "{:.1%}".format))


def _class_table(per_class: dict[str, ClassScores]) -> Table:
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
    return Table(("Expression", "Precision", "Recall", "F1", "Faces"), lines)


def _confidence(evaluation: SavedEvaluation, rows: Rows) -> Iterator[Section]:
    bins = {
        "as trained": reliability(rows.probabilities, rows.labels),
        f"temperature {rows.temperature:.2f}": reliability(rows.calibrated, rows.labels),
    }
    drawn = {name: (b.confidence, b.accuracy, b.count) for name, b in bins.items()}
    calibrated = ""
    if rows.temperature != 1:
        error = f"{rows.scores.ece_calibrated:.3f}"
        calibrated = f", {error} with the temperature that was fitted on PublicTest"
    yield Section(
        "Can its confidence be believed?",
        f"{DIAGONAL} Calibration error {rows.scores.ece:.3f} as trained{calibrated}.",
        [Chart(reliability_figure(drawn), say_reliability(drawn))],
    )
    curve = risk_coverage(rows.calibrated, rows.labels)
    course = {evaluation.title: (curve.coverage, curve.risk)}
    about = evaluation.metrics.checkpoint
    threshold = measure_threshold(about.sha256, evaluation=evaluation)
    coverage, risk = curve.at(threshold)
    said = (
        "."
        if risk is None or not threshold
        else f". Its answers below {threshold:.0%} are called unsure; without them, it answers for "
        f"{coverage:.1%} of the faces and is right in {1 - risk:.1%} of them."
    )
    yield Section(
        "Answering only when sure",
        f"The surer it must be, the fewer faces it answers for and the fewer errors it makes{said}",
        [
            Chart(
                risk_figure(course, None if risk is None else (coverage, risk)),
                say_risk(course),
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
            sure = percent(rows.calibrated[i].max())
            said = f"{answer} {sure}" if mask is rows.right else f"{label} → {answer} {sure}"
            faces.append((face_address(data.images[where], _EXAMPLE_PX), said))
        if faces:
            yield Section(heading, "Label → prediction.", [Faces(faces)])


def _provenance(evaluation: SavedEvaluation, labels: str) -> Table:
    metrics, data = evaluation.metrics, evaluation.metrics.data
    ours = find_shipped(metrics.checkpoint.sha256) is not None
    followed = ours and data.held_out and not evaluation.of_own_images
    protocol = "fitted on Training, selected on PublicTest, PrivateTest read once for each version"
    facts = (
        ("Checkpoint", evaluation.name),
        ("Its SHA-256", metrics.checkpoint.sha256),
        ("Trained on labels of", ", ".join(metrics.labels_seen)),
        ("Measured on labels of", labels),
        ("Split", f"{data.split}, by {data.split_rule}"),
        ("Data", f"{data.source}, content hash {data.content_hash}"),
        *([("Protocol", protocol)] if followed else []),
        ("Switched off", metrics.neutralized.upper() if metrics.neutralized else "nothing"),
        ("Evaluated with", f"fervt {metrics.version}"),
    )
    return Table((), facts, code=True)
