"""Every figure that a report shows, computed from tables of predictions alone.

scikit-learn and SciPy do the statistics; nothing here knows the model, the files or the pages.
"""

from fervt.metrics.agreement import (
    PEOPLE_DIFFER,
    PEOPLE_SIDE_WITH_LABEL,
    PEOPLE_SIDE_WITH_MODEL,
    people_on_errors,
    prediction_agreement,
    vote_shares,
)
from fervt.metrics.comparison import (
    Difference,
    McNemar,
    compare_classes,
    compare_pair,
    join_rows,
    mcnemar,
    to_common_classes,
)
from fervt.metrics.curves import (
    Curve,
    RiskCoverage,
    precision_recall_curves,
    risk_coverage,
    roc_curves,
)
from fervt.metrics.projection import project
from fervt.metrics.scores import (
    CALIBRATION_BINS,
    ClassScores,
    Reliability,
    Scores,
    accuracy_interval,
    fit_temperature,
    negative_log_likelihood,
    reliability,
    rescale,
    score,
    softmax,
)

__all__ = [
    "CALIBRATION_BINS",
    "PEOPLE_DIFFER",
    "PEOPLE_SIDE_WITH_LABEL",
    "PEOPLE_SIDE_WITH_MODEL",
    "ClassScores",
    "Curve",
    "Difference",
    "McNemar",
    "Reliability",
    "RiskCoverage",
    "Scores",
    "accuracy_interval",
    "compare_classes",
    "compare_pair",
    "fit_temperature",
    "join_rows",
    "mcnemar",
    "negative_log_likelihood",
    "people_on_errors",
    "precision_recall_curves",
    "prediction_agreement",
    "project",
    "reliability",
    "rescale",
    "risk_coverage",
    "roc_curves",
    "score",
    "softmax",
    "to_common_classes",
    "vote_shares",
]
