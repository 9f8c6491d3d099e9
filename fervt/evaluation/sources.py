"""Evaluating a checkpoint on a prepared file or on a person's own labeled images, in memory."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fervt.checkpoint import CheckpointInfo
from fervt.data.archive import ImageArchive, Member
from fervt.data.prepared import PreparedData, read_prepared
from fervt.errors import DataError, ImageError
from fervt.evaluation.metrics import EvaluatedCheckpoint
from fervt.evaluation.rows import translate
from fervt.evaluation.run import evaluate_model, with_labels
from fervt.evaluation.saved import SavedEvaluation
from fervt.faces import whole_image_box
from fervt.labels import FER2013, FERPLUS, VOTE_NAMES
from fervt.predict import Predictor, cut_face
from fervt.progress import Progress, part_of, track
from fervt.threads import MOST_PHOTOS, map_in_order

# How much of the time goes into reading: finding faces takes longer than predicting.
_READING, _READING_AND_FINDING = 0.2, 0.7
_NAMED = 5  # files that a note names
_UNUSUAL = re.compile(r"[^\w .()-]")  # a split's name is shown in many places, some of them markup


@dataclass(frozen=True, eq=False)
class Evaluated:
    """The result of the work, in memory only.

    Attributes:
        evaluation: As a saved one.
        info: The checkpoint's metadata.
        faces: The scored faces, if a person provided them; None if the server has them.
        names: The names of the rows' files, by row; empty if they have none.
        notes: What was left out, in sentences.
    """

    evaluation: SavedEvaluation
    info: CheckpointInfo
    faces: PreparedData | None
    names: dict[int, str]
    notes: tuple[str, ...]


def evaluate_prepared(
    report: Progress, predictor: Predictor, source: Path | bytes, split: str
) -> Evaluated:
    """Evaluates a checkpoint on a split of a prepared file.

    Args:
        report: Called with the progress.
        predictor: The checkpoint.
        source: The file's path; or its content, if a person provided it.
        split: Which rows.

    Raises:
        DataError: It is not such a file, lacks the split, or has no labels for this checkpoint.
    """
    report(0.0, "Reading the faces")
    name = "Your file" if isinstance(source, bytes) else f"'{source.name}'"
    every = read_prepared(source, (split,), name)
    data, labels, truth = with_labels(predictor.info, every)
    evaluation = evaluate_model(
        predictor.network,
        predictor.info,
        EvaluatedCheckpoint(predictor.name, predictor.sha256),
        data,
        labels,
        truth,
        progress=part_of(report, 0.05, 1.0),
    )
    left_out = len(every) - len(data)
    notes = (f"{left_out:,} faces have no {truth.title} label.",) if left_out else ()
    faces = data if isinstance(source, bytes) else None
    return Evaluated(SavedEvaluation.hold(evaluation), predictor.info, faces, {}, notes)


def evaluate_archive(
    report: Progress,
    predictor: Predictor,
    content: bytes,
    name: str,
    split: str | None,
    find_faces: bool,
) -> Evaluated:
    """Evaluates a checkpoint on a zip file of images in folders named after classes.

    Args:
        report: Called with the progress.
        predictor: The checkpoint.
        content: The zip file's.
        name: The zip file's.
        split: Only images below a folder of this split, see `archive.Member`; None takes all.
        find_faces: Crop the largest face from each image; otherwise each image is one face.

    Raises:
        DataError: The file cannot be used, or contains no such image.
    """
    report(0.0, "Reading the images")
    archive = ImageArchive(content, name)
    members = archive.labeled(split)
    if not members:
        raise DataError(
            f"'{archive.name}' contains no labeled image: folders must be named after expressions, "
            f"such as {FER2013.classes[0]} or {FER2013.classes[3]}, or numbered in a folder "
            "named RAF-DB, FER2013 or FER+."
        )
    classes = predictor.classes
    labels = translate(np.array([m.label for m in members]), FERPLUS, classes.classes)
    unknown = [m for m, label in zip(members, labels.tolist(), strict=True) if label < 0]
    members = [m for m, label in zip(members, labels.tolist(), strict=True) if label >= 0]
    faces: list[NDArray[np.uint8]] = []
    problems: list[str] = []
    faceless: list[str] = []
    kept: list[Member] = []
    reading = _READING_AND_FINDING if find_faces else _READING

    def cut(member: Member) -> NDArray[np.uint8] | None:
        """The face to score; None if there is none."""
        image = archive.read(member)
        if not find_faces:
            return cut_face(image, whole_image_box(image))
        found = predictor.find_faces(image)
        return cut_face(image, found[0].box_xyxy_px, found[0].angle_deg) if found else None

    def try_to_cut(member: Member) -> tuple[Member, NDArray[np.uint8] | None, bool]:
        try:
            return member, cut(member), True
        except ImageError:
            return member, None, False

    report_reading = part_of(report, 0.0, reading)
    for member, face, readable in track(
        map_in_order(try_to_cut, members, MOST_PHOTOS),
        len(members),
        report_reading,
        "Reading the images",
    ):
        if face is not None:
            faces.append(face)
            kept.append(member)
        else:
            (faceless if readable else problems).append(member.name)
    if not kept:
        raise DataError(f"'{archive.name}' contains no image that could be scored.")
    own = np.array([m.label for m in kept])
    shown = _UNUSUAL.sub("_", archive.name) + ("" if split is None else f", {split}")
    data = PreparedData.from_rows(
        images=np.stack(faces),
        row=np.arange(len(kept)),
        usage=np.repeat(shown, len(kept)),
        label_fer2013=translate(own, FERPLUS, FER2013.classes),
        votes=np.zeros((len(kept), len(VOTE_NAMES)), np.uint8),
        split_rule="the names of its folders",
        source=archive.name,
    )
    evaluation = evaluate_model(
        predictor.network,
        predictor.info,
        EvaluatedCheckpoint(predictor.name, predictor.sha256),
        data,
        translate(own, FERPLUS, classes.classes),
        classes,
        labels_from="folders",
        progress=part_of(report, reading, 1.0),
    )
    outside = [member.name for member in archive.members if member.label < 0]
    notes = (
        "The largest face was cut out of each image."
        if find_faces
        else "Each image was read whole, as one face.",
        _name_files("in no folder named after an expression", outside),
        _name_files("no class of this checkpoint", [member.name for member in unknown]),
        _name_files("no face found", faceless),
        _name_files("unreadable", problems),
        archive.left_out,
    )
    return Evaluated(
        SavedEvaluation.hold(evaluation),
        predictor.info,
        data,
        {row: member.name for row, member in enumerate(kept)},
        tuple(filter(None, notes)),
    )


def _name_files(why: str, names: Sequence[str]) -> str:
    """How many files are left out, and the names of the first few; empty for none."""
    if not names:
        return ""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    listed = ", ".join(f"'{name}'" for name in names[:_NAMED])
    return f"Left out ({why}): {len(names):,}, {listed}{more}."
