"""The outputs that only training uses."""

from typing import NamedTuple, Self

from torch import Tensor, nn

from fervt.labels import FERPLUS
from fervt.model import FERVTGNN, FERVTOutput, Intervention


class Answers(NamedTuple):
    """What `ReadOuts` gives for B images and M windows.

    Attributes:
        output: The model's.
        votes: Logits over FER+'s classes (B, 8), None without that read-out.
        scores: GWA's scores of the windows (M, 7, 7), None without windows.
        swapped: Logits (B, C) of each image with the cell weights of the one before it, None if not
            asked for.
        graphless: Logits (B, C) with the graph vector's training mean, None if not asked for.
    """

    output: FERVTOutput
    votes: Tensor | None
    scores: Tensor | None
    swapped: Tensor | None
    graphless: Tensor | None


def without_graph(tokens: Tensor, vectors: Tensor, mean: Tensor) -> Tensor:
    """Tokens (B, 5, D) with the graph vectors' mean (D,) in place of the vectors (B, D)."""
    changed = tokens.clone()  # the graph's is the last
    changed[:, -1] += mean - vectors
    return changed


class ReadOuts(nn.Module):
    """The model, and the read-outs used only in training.

    FER2013's single label per face is noisy; ten votes show what else the face could be, so a
    second classifier on the class token learns FER+'s votes. And the equivariance loss needs GWA's
    scores of faces whose window was moved, the relevance loss those of mirrored faces, and the
    counterfactual losses the answers with another face's cell weights or a neutral graph vector.
    All go through here, so that one wrapped module (compiled, data-parallel) contains everything
    with a gradient.

    Shapes:
        in: images (B, 3, S, S); windows (M, 3, S, S) or None; swap and neutralize, whether to
            classify again with others' weights and without the graph.
        out: see `Answers`.
    """

    def __init__(self, model: FERVTGNN, votes: bool, freeze_gwa: bool = False) -> None:
        super().__init__()
        self.model, self.freeze_gwa = model, freeze_gwa
        if freeze_gwa:
            model.gwa.requires_grad_(False)
        self.votes = nn.Linear(model.config.embed_dim, len(FERPLUS)) if votes else None

    def train(self, mode: bool = True) -> Self:
        """As always, but a frozen GWA's batch norm keeps its statistics, too."""
        super().train(mode)
        if self.freeze_gwa:
            self.model.gwa.eval()
        return self

    def forward(
        self,
        images: Tensor,
        windows: Tensor | None = None,
        swap: bool = False,
        neutralize: bool = False,
    ) -> Answers:
        """Classifies; see the class for shapes."""
        output = self.model(images)
        votes = None if self.votes is None else self.votes(output.class_embedding)
        scores = None if windows is None else self.model.gwa.scores(windows)
        swapped = graphless = None
        if swap and output.gwa_weights is not None:
            others = Intervention(gwa_weights=output.gwa_weights.detach().roll(1, 0))
            swapped = self.model(images, others).logits
        if neutralize and output.gnn_features is not None:
            tokens = without_graph(output.tokens, output.gnn_features, self.model.gnn_mean)
            graphless = self.model.vta(tokens)[0]
        return Answers(output, votes, scores, swapped, graphless)
