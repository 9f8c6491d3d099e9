"""One visual language for all maps on a face: warm where a cell counts for more, blue for less.

The face stays visible: the further a cell's value is from neutral, the more opaque its color.
"""

import numpy as np

from fervt.figures.grid import Values

MORE_RGB, LESS_RGB = (255, 98, 0), (0, 92, 255)
_MOST = 0.66  # opacity of the strongest cell


def tint_cells(values: Values, neutral: float, floor: float, signed: bool) -> list[str]:
    """CSS colors of a map's 49 cells, row by row.

    Args:
        values: (7, 7).
        neutral: The value of an average or indifferent cell, which stays clear.
        floor: The smallest distance from neutral that gets the full color, so that even maps look
            even.
        signed: Whether values below neutral are evidence against; they stay clear where not.
    """
    away = np.nan_to_num(np.asarray(values, float).ravel() - neutral)
    if not signed:
        away = away.clip(0, None)
    shares = away / max(float(np.abs(away).max()), floor)
    return [
        "rgba({}, {}, {}, {:.3f})".format(*(MORE_RGB if s > 0 else LESS_RGB), _MOST * abs(s))
        for s in shares
    ]
