"""What a model costs, counted."""

import tiny

from fervt.bench.network import BareResNet34
from fervt.model import FERVTGNN, FERVTConfig
from fervt.model.cost import count_gmac


def test_gmac_counts_the_trunk() -> None:
    config = FERVTConfig()
    # 0.9 GMAC of trunk at 56 px with the stride-2 stem, and no more than a third for the rest.
    assert 0.85 < count_gmac(FERVTGNN(config)) < 1.25
    assert count_gmac(FERVTGNN(tiny.CONFIG)) < 0.03
    assert sum(p.numel() for p in BareResNet34(config).parameters()) > 21e6
