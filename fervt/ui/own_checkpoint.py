"""What a visitor's own checkpoint is: all of it is read from the file, and none of it measured."""

from fervt.checkpoint import find_shipped
from fervt.labels import vocabulary
from fervt.predict import Predictor
from fervt.ui.text import as_text


def say_what_was_read(predictor: Predictor) -> str:
    """The file in a sentence, as Markdown."""
    classes, twin = predictor.classes, find_twin(predictor)
    return (
        f"**{as_text(predictor.name)}** was read: {_say_architecture(predictor)}, "
        f"{len(classes)} classes ({classes.title}), {predictor.file_bytes / 1e6:.1f} MB."
        + (f" It is the same file as {as_text(twin)}." if twin else "")
    )


def find_twin(predictor: Predictor) -> str | None:
    """The name of the shipped checkpoint whose file is the same; None if there is none."""
    return find_shipped(predictor.sha256, predictor.file_bytes)


def list_facts(predictor: Predictor) -> str:
    """What the file says, as a Markdown table."""
    info = predictor.info
    facts = {
        "Architecture": _say_architecture(predictor),
        "Parameters": f"{predictor.count_parameters() / 1e6:.2f} million "
        f"({predictor.file_bytes / 1e6:.1f} MB, {predictor.count_gmac():.2f} GMAC per face)",
        "Input": f"one face, {info.config.image_size} × {info.config.image_size} pixels, gray",
        "Expressions": ", ".join(predictor.classes.display_names),
        "Trained on": " and ".join(f"{vocabulary(v).title} labels" for v in info.labels_seen),
        "Temperature": f"{info.temperature:.2f}",
        "File": f"SHA-256 `{predictor.sha256[:12]}…`",
    }
    lines = [f"| {title} | {fact} |" for title, fact in facts.items()]
    return "\n".join(["| Property | Value |", "|---|---|", *lines])


def _say_architecture(predictor: Predictor) -> str:
    config = predictor.info.config
    parts = {"GWA": config.use_gwa, "graph": config.use_gnn}
    having, lacking = ([p for p, has in parts.items() if has is wanted] for wanted in (True, False))
    return (
        f"FERVT-GNN of width {config.width}"
        + (f" with {' and '.join(having)}" if having else "")
        + (f" without {' or '.join(lacking)}" if lacking else "")
    )
