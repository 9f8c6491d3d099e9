"""A checkpoint's metadata: how its model is made, what it was trained on, and how it did."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from fervt.data.transforms import Preprocess
from fervt.errors import CheckpointError, FervtError
from fervt.labels import VOCABULARIES
from fervt.model import FERVTConfig

FORMAT = "fervt-1"
_TRAINING = {"averaged": dict, "teachers": list, "distilled": str}  # what the card says of it
_MOST = {"distill_weight": 1} | dict.fromkeys(  # from 0 on
    ("relevance_weight", "equivariance_weight", "counterfactual_weight", "graph_weight"), 1e6
)


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint's metadata.

    Attributes:
        config: The model's configuration.
        preprocess: How a face becomes model input.
        temperature: Logits are divided by this before the softmax; fitted on PublicTest.
        data_hash: Content hash of the prepared file that it was trained on.
        split_rule: How that file was split.
        seed: Seed of the training run.
        labels_seen: Label sets used in training: "fer2013", "ferplus" or both.
        history: One dict per epoch: loss, accuracy, learning rate.
        metrics: Figures on PublicTest at selection.
        training: Settings of the training run. Of a mean also "averaged": each part's weight in it,
            by the start of its file's SHA-256. With teachers also "teachers": one name of
            each saved evaluation, made of the starts of its files' SHA-256. With --distill also
            "distilled": the SHA-256 of that checkpoint's file.
        parent: Where `--init` weights came from: SHA-256 of that file, or "".
        description: One sentence.
    """

    config: FERVTConfig
    preprocess: Preprocess
    temperature: float = 1.0
    data_hash: str = ""
    split_rule: str = ""
    seed: int = 0
    labels_seen: tuple[str, ...] = ("fer2013",)
    history: list[dict[str, float]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    parent: str = ""
    description: str = ""

    def to_json(self) -> str:
        """Serializes for the file's header."""
        return json.dumps({"format": FORMAT, **asdict(self)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, name: str) -> "CheckpointInfo":
        """Reads what `to_json` wrote.

        Raises:
            CheckpointError: Something is missing, unknown or out of range.
        """
        try:
            raw = json.loads(text)
            if raw.pop("format") != FORMAT:
                raise CheckpointError(f"'{name}' has a format other than {FORMAT}.")
            raw["config"] = FERVTConfig(**raw["config"])
            raw["preprocess"] = Preprocess(**raw["preprocess"])
            raw["labels_seen"] = tuple(map(str, raw["labels_seen"]))
            info = cls(**raw)
            info.to_json()  # every number in it is finite
        except FervtError as error:
            raise CheckpointError(f"'{name}' cannot be used: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise CheckpointError(f"'{name}' has damaged metadata ({error}).") from error
        if not info._is_plausible():
            raise CheckpointError(f"'{name}' has metadata outside its range.")
        return info

    def _is_plausible(self) -> bool:
        kinds = {"history": list, "metrics": dict, "training": dict, "seed": int}
        kinds |= dict.fromkeys(("data_hash", "split_rule", "parent", "description"), str)
        return (
            all(isinstance(getattr(self, name), kind) for name, kind in kinds.items())
            and _is_number(self.temperature)
            and 0 < self.temperature < 100
            and self.preprocess.image_size == self.config.image_size
            and set(self.labels_seen) <= VOCABULARIES.keys()
            and all(isinstance(epoch, dict) and "epoch" in epoch for epoch in self.history)
            and all(_is_number(value) for epoch in self.history for value in epoch.values())
            and all(_is_number(self.metrics.get(name, 0)) for name in ("n", "accuracy", "epoch"))
            and all(isinstance(self.training.get(k, t()), t) for k, t in _TRAINING.items())
            and all(_is_number(v := self.training.get(k, 0)) and 0 <= v <= _MOST[k] for k in _MOST)
        )


def _is_number(value: object) -> bool:
    # Not by `math.isfinite`, which an integer may be too large for.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
