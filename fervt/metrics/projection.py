"""Where faces are in the model's own space: embeddings projected to a plane."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from fervt.errors import DataError

_LEAST_ROWS = 4
_PERPLEXITY = 30.0
_TSNE_DIMENSIONS = 30


def project(
    embeddings: NDArray[Any], method: Literal["pca", "tsne"] = "pca", seed: int = 0
) -> NDArray[np.float32]:
    """Projects embeddings (N, D) to a plane (N, 2).

    Args:
        embeddings: One row per face.
        method: "pca": the two directions of the largest variance. "tsne": neighbors stay close
            (van der Maaten and Hinton, 2008), from the first 30 principal components.
        seed: Of t-SNE.

    Raises:
        DataError: There are fewer than four rows, fewer than two dimensions, a value that is not
            finite, or rows that are all the same.
    """
    values = np.asarray(embeddings, dtype=np.float32)
    if len(values) < _LEAST_ROWS or values.shape[1] < 2:
        raise DataError(f"A map needs at least {_LEAST_ROWS} faces.")
    if not np.isfinite(values).all():
        raise DataError("A map needs finite embeddings.")
    if not np.square(values - values[0]).sum() > 0:  # t-SNE divides by this, and crashes at 0
        raise DataError(
            "A map needs faces that differ; the model sees no difference between these."
        )
    if method == "pca":
        return PCA(2, svd_solver="full").fit_transform(values)
    reduced = PCA(min(_TSNE_DIMENSIONS, *values.shape), svd_solver="full").fit_transform(values)
    perplexity = min(_PERPLEXITY, (len(values) - 1) / 3)
    layout = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
    return layout.fit_transform(reduced)
