"""Class order, display names and colors: the single source for both vocabularies.

FER2013's order is the one of its CSV file (`emotion` 0..6) and is not alphabetical; FER+'s is the
order of the first eight vote columns of `fer2013new.csv`. A model's outputs follow its vocabulary.
"""

from dataclasses import dataclass

from fervt.errors import ConfigError


@dataclass(frozen=True)
class Expression:
    """How one apparent expression is shown: an adjective, a color, and a sign."""

    name: str
    color: str
    sign: str


_ANGRY = Expression("Angry", "#D55E00", "😠")
_DISGUST = Expression("Disgusted", "#009E73", "🤢")
_FEAR = Expression("Fearful", "#CC79A7", "😨")
_HAPPY = Expression("Happy", "#E69F00", "😊")
_SAD = Expression("Sad", "#0072B2", "😢")
_SURPRISE = Expression("Surprised", "#56B4E9", "😲")
_NEUTRAL = Expression("Neutral", "#7F7F7F", "😐")
_CONTEMPT = Expression("Contemptuous", "#5D3A9B", "😏")

# Okabe and Ito's palette, which people with any common color-vision deficiency can tell apart
# (https://jfly.uni-koeln.de/color/); gray for neutral, a dark violet for the eighth class.
_EXPRESSIONS: dict[str, Expression] = {
    "angry": _ANGRY,
    "disgust": _DISGUST,
    "fear": _FEAR,
    "happy": _HAPPY,
    "sad": _SAD,
    "surprise": _SURPRISE,
    "neutral": _NEUTRAL,
    "anger": _ANGRY,
    "happiness": _HAPPY,
    "sadness": _SAD,
    "contempt": _CONTEMPT,
}


@dataclass(frozen=True)
class Vocabulary:
    """A named, ordered set of class labels.

    Attributes:
        name: `"fer2013"` or `"ferplus"`.
        title: The data set's display name.
        classes: Class labels; a model's logit i belongs to `classes[i]`.
    """

    name: str
    title: str
    classes: tuple[str, ...]

    def __len__(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def colors(self) -> tuple[str, ...]:
        """One `#RRGGBB` color per class, in class order."""
        return tuple(expression(label).color for label in self.classes)

    @property
    def display_names(self) -> tuple[str, ...]:
        """One display name per class, in class order."""
        return tuple(expression(label).name for label in self.classes)


FER2013 = Vocabulary(
    "fer2013", "FER2013", ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
)
FERPLUS = Vocabulary(
    "ferplus",
    "FER+",
    ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
)
VOCABULARIES: dict[str, Vocabulary] = {v.name: v for v in (FER2013, FERPLUS)}

# The ten columns of FER+'s fer2013new.csv; the last two are not expressions.
VOTE_NAMES: tuple[str, ...] = (*FERPLUS.classes, "unknown", "NF")

SPLITS: tuple[str, ...] = ("Training", "PublicTest", "PrivateTest")

NOTICE = "Predictions are apparent expressions, not felt emotions."


def expression(label: str) -> Expression:
    """Looks up how a class label of either vocabulary is shown.

    Raises:
        ConfigError: The label belongs to no vocabulary.
    """
    if label not in _EXPRESSIONS:
        raise ConfigError(f"'{label}' is not an expression; known: {', '.join(_EXPRESSIONS)}.")
    return _EXPRESSIONS[label]


def is_same_expression(label: str, other: str) -> bool:
    """Whether two class labels, of either vocabulary, mean the same expression."""
    known = label in _EXPRESSIONS and other in _EXPRESSIONS
    return known and _EXPRESSIONS[label].name == _EXPRESSIONS[other].name


def vocabulary(name: str) -> Vocabulary:
    """Looks up a vocabulary by its name.

    Raises:
        ConfigError: There is no such vocabulary.
    """
    if name not in VOCABULARIES:
        raise ConfigError(f"'{name}' is not a vocabulary; known: {', '.join(VOCABULARIES)}.")
    return VOCABULARIES[name]


# The FER+ class that means the same as a FER2013 class; contempt has no counterpart.
FER2013_TO_FERPLUS: dict[str, str] = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
}
