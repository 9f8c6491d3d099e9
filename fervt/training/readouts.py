"""The outputs that only training uses."""

from torch import Tensor, nn

from fervt.labels import FERPLUS
from fervt.model import FERVTGNN, FERVTOutput


class ReadOuts(nn.Module):
    """The model, and the read-outs used only in training.

    FER2013's single label per face is noisy; ten votes show what else the face could be, so a
    second classifier on the class token learns FER+'s votes. And the equivariance loss needs GWA's
    scores of faces whose window was moved, the relevance loss those of mirrored faces. All go
    through here, so that one wrapped module (compiled, data-parallel) contains everything with a
    gradient.

    Shapes:
        in: images (B, 3, S, S); windows (M, 3, S, S) or None.
        out: the model's output; logits over FER+'s classes (B, 8), None without `votes`; GWA's
            scores of the windows (M, 7, 7), None without windows.
    """

    def __init__(self, model: FERVTGNN, votes: bool) -> None:
        super().__init__()
        self.model = model
        self.votes = nn.Linear(model.config.embed_dim, len(FERPLUS)) if votes else None

    def forward(
        self, images: Tensor, windows: Tensor | None = None
    ) -> tuple[FERVTOutput, Tensor | None, Tensor | None]:
        """Classifies; see the class for shapes."""
        output = self.model(images)
        votes = None if self.votes is None else self.votes(output.class_embedding)
        scores = None if windows is None else self.model.gwa.scores(windows)
        return output, votes, scores
