"""Reference figures on FER2013: people, and other installable tools.

The tools were run on PrivateTest's 3,589 faces by this project, one face at a time, classifier
only. They were not retrained under the same conditions: each is used as its package ships it.
"""

from dataclasses import dataclass

from fervt.metrics import Scores

HUMAN_ACCURACY = 0.65
HUMAN_SPREAD = 0.05
HUMAN_URL = "https://arxiv.org/abs/1307.0414"
HUMAN_SOURCE = f"Goodfellow et al., 2013, {HUMAN_URL}"
LABEL_AGREEMENT = 0.67

SPLIT = "PrivateTest"


@dataclass(frozen=True)
class Tool:
    """A package that classifies expressions, as measured on PrivateTest with FER2013's labels."""

    name: str
    accuracy: float
    macro_f1: float


TOOLS = (
    Tool("fer 25.10.3", 0.6578, 0.639),
    Tool("face-api 1.7.15", 0.5893, 0.535),
    Tool("facial_emotion_recognition 0.3.4", 0.5252, 0.437),
    Tool("facex 1.1.0", 0.4263, 0.383),
)


def standing(name: str, scores: Scores) -> tuple[list, list, list, list]:
    """A checkpoint, people and tools, the best first.

    Returns:
        Names, accuracies, their intervals (None where unknown), and which one is the checkpoint.
    """
    spread = (HUMAN_ACCURACY - HUMAN_SPREAD, HUMAN_ACCURACY + HUMAN_SPREAD)
    rows = [
        (name, scores.accuracy, scores.accuracy_interval_95, True),
        ("People", HUMAN_ACCURACY, spread, False),
        *((tool.name, tool.accuracy, None, False) for tool in TOOLS),
    ]
    rows.sort(key=lambda row: -row[1])
    names, accuracies, spreads, ours = (list(column) for column in zip(*rows, strict=True))
    return names, accuracies, spreads, ours
