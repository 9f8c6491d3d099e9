"""Trains only the transformer of a checkpoint further, so that its answer rests more on the graph.

    python -m scripts.refit_transformer --data prepared.parquet --checkpoint FILE --out FILE

GWA, the graph and the trunk are unchanged, and so are GWA's map and the graph's attention. Their
tokens for augmented views of the Training faces are computed once; with these, an epoch takes
seconds. Beside the labels, the transformer learns from two losses:

- What the graph's token changes, compared with its mean, must itself give the class (Rao et al.,
  2021), the more so the more likely the graph's own read-out finds it. Both answers of a face draw
  the same dropout, so nothing else differs between them.
- Where 7 to 42 cells of a face are hidden, the answer must stay the checkpoint's own. Otherwise the
  order of GWA's cells would explain the answer less.

The moving average of the weights is written, without a calibration: `scripts.average` calibrates
its mean with the weights from before.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from fervt.checkpoint import find_checkpoint, load_checkpoint, save_checkpoint
from fervt.cli.ending import run_to_end
from fervt.data.prepared import read_prepared
from fervt.data.transforms import Augment
from fervt.errors import ConfigError
from fervt.explain.grid import CELLS, hide_cells
from fervt.files import file_sha256
from fervt.model import FERVTGNN, FERVTOutput
from fervt.training.distributed import seed_all, use_bfloat16
from fervt.training.faces import FitFaces, gather
from fervt.training.losses import counterfactual_loss
from fervt.training.optimization import moving_average
from fervt.training.readouts import without_graph
from fervt.training.settings import TrainConfig

Network = Callable[[Tensor], FERVTOutput]

_AUGMENT = Augment(
    rotation_deg=12, scale=0.28, shift=0.2, shear=0.04, brightness=0.2, contrast=0.2, erase=0.05
)
_LITTLE = Augment(
    rotation_deg=4, scale=0.08, shift=0.05, shear=0, brightness=0.1, contrast=0.1, erase=0
)
_BATCH = 256
_HIDDEN_BATCH = 128
_CELLS_PER_STEP = 7
_REVEALED = 0.65  # of the faces with hidden cells: the first cells of an order are shown
_OWN_ANSWER = 0.3
_CLIP = 1.0
_DECAY = 0.99
_WARM_UP = 0.6  # of the steps


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="prepared file")
    parser.add_argument("--checkpoint", required=True, help="name or file")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint to write")
    parser.add_argument("--views", type=int, default=3, help="augmented views of each face")
    parser.add_argument(
        "--lr", type=float, default=2e-4, help="learning rate (AdamW); peaks at 0.42 of it"
    )
    parser.add_argument("--graph-weight", type=float, default=2.0, help="of the graph's loss")
    parser.add_argument(
        "--hidden-weight", type=float, default=2.0, help="of the loss on hidden cells"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of views, order and dropout")
    parser.add_argument("--compile", action="store_true", help="torch.compile the model")
    args = parser.parse_args()
    refit(
        args.data,
        find_checkpoint(args.checkpoint),
        args.out,
        views=args.views,
        lr=args.lr,
        graph_weight=args.graph_weight,
        hidden_weight=args.hidden_weight,
        seed=args.seed,
        compiled=args.compile,
    )
    return 0


def refit(
    data: Path,
    checkpoint: Path,
    out: Path,
    *,
    views: int,
    lr: float,
    graph_weight: float,
    hidden_weight: float,
    seed: int,
    compiled: bool = False,
) -> None:
    model, info = load_checkpoint(checkpoint)
    if not (info.config.use_gwa and info.config.use_gnn):
        raise ConfigError(f"'{checkpoint.name}' lacks GWA or a graph.")
    if views < 1:
        raise ConfigError("There must be at least one view of each face.")
    if not 0 < lr < math.inf:
        raise ConfigError("--lr must be above 0.")
    if not all(0 <= weight < math.inf for weight in (graph_weight, hidden_weight)):
        raise ConfigError("--graph-weight and --hidden-weight must be at least 0.")
    fit = gather(
        read_prepared(data, ("Training", "PublicTest")),
        info.config,
        TrainConfig(class_balance=0.25, crop=info.preprocess.crop),
    )
    seed_all(seed)
    fit = replace(fit, preprocess=info.preprocess)
    model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = torch.compile(model) if compiled else model
    seen, partly = look(run, fit, views), look_at_a_part(model, run, fit)
    model.gnn_mean.copy_(seen.vectors.float().mean(dim=0))
    settings = {"lr": lr, "graph_weight": graph_weight, "hidden_weight": hidden_weight}
    model.vta = train(model.vta, seen, partly, model.gnn_mean, fit.class_weights, **settings)
    refitted = replace(
        info,
        parent=file_sha256(checkpoint),
        seed=seed,
        temperature=1.0,
        metrics={},
        training=info.training | {"refit_transformer": settings | {"views": views, "seed": seed}},
    )
    save_checkpoint(out, model.eval(), refitted)


@dataclass(frozen=True, eq=False)
class Seen:
    """What the transformer reads of V views of M faces, in half precision.

    Attributes:
        tokens: (V * M, 5, D).
        vectors: (V * M, D), the graph's.
        targets: (V * M, C), probabilities.
        found: (V * M,), how likely the graph's own read-out finds the target, 0..1.
    """

    tokens: Tensor
    vectors: Tensor
    targets: Tensor
    found: Tensor

    def batches(self) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Batches of all of it, in random order."""
        order = torch.randperm(len(self.tokens))
        for rows in order.split(_BATCH):
            yield (
                self.tokens[rows].float(),
                self.vectors[rows].float(),
                self.targets[rows],
                self.found[rows],
            )


@dataclass(frozen=True, eq=False)
class SeenPartly:
    """What the transformer reads of M faces with hidden cells.

    Attributes:
        tokens: (M, 5, D), in half precision.
        answers: (M, C), the checkpoint's own probabilities.
    """

    tokens: Tensor
    answers: Tensor


def look(run: Network, fit: FitFaces, views: int) -> Seen:
    """Runs the whole model on augmented views; its answer is a part of the targets."""
    tokens, vectors, targets, found = [], [], [], []
    rows = torch.arange(len(fit.faces)).repeat(views).split(_BATCH)
    for part in tqdm(rows, desc="views"):
        output = _run(run, _AUGMENT(fit.faces[part], fit.preprocess))
        own = output.logits.float().softmax(dim=1)
        tokens.append(output.tokens.half())
        vectors.append(output.gnn_features.half())
        targets.append(fit.targets[part] + _OWN_ANSWER * (own - fit.targets[part]))
        by_graph = output.gnn_logits.float().softmax(dim=1)
        found.append((by_graph * fit.targets[part]).sum(dim=1))
    return Seen(*(torch.cat(each) for each in (tokens, vectors, targets, found)))


def look_at_a_part(model: FERVTGNN, run: Network, fit: FitFaces) -> SeenPartly:
    """Runs the whole model on each face, some cells hidden."""
    tokens, answers = [], []
    for part in tqdm(torch.arange(len(fit.faces)).split(_BATCH), desc="hidden cells"):
        images = _LITTLE(fit.faces[part], fit.preprocess)
        with torch.no_grad():
            weights = model.gwa(images)[2]
        output = _run(run, hide_cells(images, draw_hidden(weights)))
        tokens.append(output.tokens.half())
        answers.append(output.logits.float().softmax(dim=1))
    return SeenPartly(torch.cat(tokens), torch.cat(answers))


def draw_hidden(weights: Tensor) -> Tensor:
    """Which cells to hide, as deletion and insertion do: (B, 7, 7) bool from GWA's (B, 7, 7).

    The first 7, 14, ... or 42 cells are shown or hidden: in GWA's order, in that of these faces'
    mean map, or in a random one.
    """
    own = weights.flatten(1)
    kind = torch.randint(3, (len(own), 1))
    others = torch.where(kind == 1, own.mean(dim=0), torch.rand_like(own))
    place = torch.where(kind == 0, own, others).argsort(dim=1, descending=True).argsort(dim=1)
    first = place < _CELLS_PER_STEP * torch.randint(1, CELLS // _CELLS_PER_STEP, (len(own), 1))
    revealed = torch.rand(len(own), 1) < _REVEALED
    return (first ^ revealed).view_as(weights)


def _run(run: Network, images: Tensor) -> FERVTOutput:
    amp = use_bfloat16("auto", torch.device("cpu"))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=amp):
        return run(images.contiguous(memory_format=torch.channels_last))


def train(
    vta: nn.Module,
    seen: Seen,
    partly: SeenPartly,
    mean: Tensor,
    weights: Tensor,
    *,
    lr: float,
    graph_weight: float,
    hidden_weight: float,
) -> nn.Module:
    """Trains for one pass; returns the weights' moving average.

    Args:
        vta: Changed in place.
        seen: What it reads of whole faces.
        partly: What it reads of faces with hidden cells.
        mean: (D,), the graph vector's.
        weights: (C,), of the classes.
        lr: The learning rate, times a rising and a falling line: it peaks at 0.42 of this.
        graph_weight: Of what the graph's token changes.
        hidden_weight: Of answering as before where cells are hidden.
    """
    average = AveragedModel(vta, multi_avg_fn=moving_average(_DECAY))
    optimizer = torch.optim.AdamW(vta.parameters(), lr=lr, weight_decay=0.01)
    steps = -(-len(seen.tokens) // _BATCH)
    vta.train()
    for step, batch in enumerate(tqdm(seen.batches(), total=steps)):
        tokens, vectors, targets, found = batch
        for group in optimizer.param_groups:
            group["lr"] = lr * min(1, (step + 1) / (_WARM_UP * steps)) * (1 - step / steps)
        state = torch.get_rng_state()
        logits = vta(tokens)[0]
        torch.set_rng_state(state)
        otherwise = vta(without_graph(tokens, vectors, mean))[0]
        loss = nn.functional.cross_entropy(logits, targets, weights)
        loss = loss + graph_weight * counterfactual_loss(logits, otherwise, targets, found)
        rows = torch.randint(len(partly.tokens), (_HIDDEN_BATCH,))
        as_before = nn.functional.cross_entropy(
            vta(partly.tokens[rows].float())[0], partly.answers[rows]
        )
        loss = loss + hidden_weight * as_before
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(vta.parameters(), _CLIP)
        optimizer.step()
        average.update_parameters(vta)
    return average.module


if __name__ == "__main__":
    sys.exit(run_to_end("refit_transformer", main))
