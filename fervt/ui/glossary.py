"""The field's terms, each explained once: briefly on hover, with a picture on its page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One entry.

    Attributes:
        title: Its display name.
        short: One sentence, for a tooltip.
        more: A short paragraph of Markdown.
    """

    title: str
    short: str
    more: str


TERMS: dict[str, Term] = {
    "grid_cell": Term(
        "Grid cell",
        "One of the 7 × 7 squares that the face is cut into; all maps share them.",
        "The part of the face that the model sees is cut into 7 × 7 squares. Every map on these "
        "pages uses the same 49 cells, so row 5, column 3 is the same part of the face everywhere. "
        "Cells are grouped into regions (brows, eyes, nose, mouth, cheeks, chin) by the crop's "
        "fixed geometry.",
    ),
    "occlusion": Term(
        "Occlusion",
        "Hide a part of the face, ask the model again, and see how much the answer changes.",
        "A cell or a region is painted over in gray and the model is asked again. If the "
        "probability falls by 25 points, that part was worth 25 points. This is the only map that "
        "measures an effect on the answer; the other three read the model's internal state.",
    ),
    "gwa": Term(
        "Grid-wise attention (GWA)",
        "How strongly the model's first stage weighs each cell; the average cell is 1.",
        "The first stage compares each cell with all others and gives it a weight. Weights average "
        "1: a cell of 1.3 is let through 30% more strongly than the average one.",
    ),
    "gat": Term(
        "Graph attention",
        "How much each cell passes to its neighbors; an arrow runs from source to target.",
        "Each cell is linked with its neighbors above, below, left and right. Two layers pass "
        "messages along these links. An arrow from source to target says how much of the target's "
        "new state came from the source; what enters a cell adds up to 1.",
    ),
    "grad_cam": Term(
        "Grad-CAM",
        "Which cells of the last feature map push the expression's score up.",
        "The gradient of an expression's score says which features matter for it; where these "
        "features are active, the map is warm (Selvaraju et al., 2017). It is coarse: the last "
        "map of the shipped checkpoints has 3 × 3 or 6 × 6 positions.",
    ),
    "attention": Term(
        "Attention",
        "Weights, summing to 1, with which a model mixes what it has from several places.",
        "Attention says how much of a result came from each of several inputs. It shows where the "
        "model takes its information from. It doesn't prove that this decided the answer: "
        "occlusion tests that.",
    ),
    "faithfulness": Term(
        "Faithfulness",
        "Whether a map's warm cells really decide: hiding them must change the answer first.",
        "Cells are hidden one after another in a map's order. If the map is faithful, the "
        "probability falls earlier than in random orders (deletion), and rises earlier when the "
        "cells are put back (insertion).",
    ),
    "calibration": Term(
        "Calibration",
        "Whether confidence can be taken at face value: of answers at 80%, 80% should be right.",
        "A calibrated model that says 80% is right 8 times in 10. The expected calibration error "
        "(ECE) is the average gap between confidence and accuracy. One number, the temperature, "
        "was fitted on PublicTest to close the gap.",
    ),
    "unsure": Term(
        "Unsure",
        "An answer with so little confidence that such answers were right less than half the time.",
        "On PublicTest the answers were sorted by confidence, in bands of 5 points. Up to the "
        "first band in which at least half were right, an answer is called unsure, and its two "
        "leading expressions are named. For the flagship one of the two is the label in about "
        "seven of ten such cases.",
    ),
    "mcnemar": Term(
        "McNemar's test",
        "Compares two checkpoints on the faces that only one of them gets right.",
        "Two checkpoints see the same faces. Those that both get right, or both wrong, say nothing "
        "about which is better. The test looks at the others: if A alone is right on 120 faces and "
        "B alone on 80, is that more than chance?",
    ),
    "confidence_interval": Term(
        "95% interval",
        "How far the true accuracy may lie from the measured one, given how few faces were tested.",
        "3,589 faces are a sample. Another sample of the same size would give another accuracy; "
        "in 95 of 100 cases the interval contains the true one. For 70% and 3,589 faces it "
        "extends 1.5 points to each side.",
    ),
    "apparent": Term(
        "Apparent expression",
        "What a face looks like to others. Not what the person feels.",
        "The model learned from labels that people gave to pictures. It estimates what people "
        "would call the expression. Neither a person nor a model can read a feeling from a face.",
    ),
}


def link_to_term(name: str) -> str:
    """The address of its entry, relative to any page."""
    return f"glossary?term={name}"


def term_help(name: str) -> str:
    """Markdown for a tooltip: the sentence and a link to the entry."""
    return f"{TERMS[name].short} [More in the glossary]({link_to_term(name)})"
