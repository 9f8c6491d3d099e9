"""What a training step asks of GWA and the graph, beside the labels.

That its scores follow a moved face (equivariance) is asked in every other step, which is enough
and costs half. The steps between ask what an answer rests on (relevance), and whether it needs
this face's own weights (counterfactual) and the graph.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fervt.data.transforms import Augment, Preprocess
from fervt.training.losses import counterfactual_loss, equivariance_loss, relevance_loss
from fervt.training.readouts import Answers
from fervt.training.relevance import draw_cells, mean_of_both, with_mirrored
from fervt.training.settings import TrainConfig

_TURNS = 2


@dataclass(frozen=True)
class Lesson:
    """One step's questions, for a batch of B faces.

    Attributes:
        windows: (2B, 3, S, S), images whose scores are needed; None for none.
        move: By how many cells the second half of the windows moved, to the right and down.
        hidden: (B, 7, 7) bool, cells to hide from a teacher.
        swap: Whether the faces are also classified with each other's weights.
        neutralize: Whether they are also classified without what the graph says.
    """

    windows: Tensor | None = None
    move: tuple[int, int] | None = None
    hidden: Tensor | None = None
    swap: bool = False
    neutralize: bool = False

    def loss(
        self, answers: Answers, targets: Tensor, drops: Tensor | None, config: TrainConfig
    ) -> Tensor:
        """The weighted sum of what was asked; 0 if nothing was.

        Args:
            answers: To the images and this lesson's windows.
            targets: (B, C), probabilities.
            drops: (B,), how much less likely hiding made the teacher's answers.
            config: The weights of the losses.
        """
        total = targets.new_zeros(())
        scores = answers.scores
        if scores is not None and self.move is not None:
            before, after = scores.chunk(2)
            follows = equivariance_loss(before, after, *self.move)
            total = total + config.equivariance_weight * follows
        if scores is not None and self.hidden is not None and drops is not None:
            missed = relevance_loss(mean_of_both(scores), self.hidden, drops)
            total = total + config.relevance_weight * missed
        if answers.swapped is not None:
            effect = counterfactual_loss(answers.output.logits, answers.swapped, targets)
            total = total + config.counterfactual_weight * effect
        if answers.graphless is not None:
            effect = counterfactual_loss(answers.output.logits, answers.graphless, targets)
            total = total + config.graph_weight * effect
        return total


def draw_lesson(
    step: int,
    config: TrainConfig,
    faces: Tensor,
    images: Tensor,
    augment: Augment,
    preprocess: Preprocess,
) -> Lesson:
    """Draws what a step asks.

    Args:
        step: Steps before it, over all epochs.
        config: Whose weights above 0 say which losses there are.
        faces: (B, 48, 48), the batch before augmentation.
        images: (B, 3, S, S), the batch.
        augment: Draws the windows that move.
        preprocess: Samples them.
    """
    if step % _TURNS == 0:
        if not config.equivariance_weight:
            return Lesson()
        windows, move = augment.moved_windows(faces, preprocess)
        return Lesson(windows.contiguous(memory_format=torch.channels_last), move)
    lesson = Lesson(swap=config.counterfactual_weight > 0, neutralize=config.graph_weight > 0)
    if not config.relevance_weight:
        return lesson
    hidden = draw_cells(len(images), images.device)
    return replace(lesson, windows=with_mirrored(images), hidden=hidden)
