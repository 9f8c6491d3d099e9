"""Averaging by products is adaptive average pooling, and what is exported uses it."""

import onnx
import pytest
import torch

from fervt.checkpoint import read_info, shipped_checkpoints
from fervt.engines.onnx_graph import find_graph
from fervt.model.pooling import average_by_product, average_onto

SIZES = (3, 6, 7, 11, 21, 50)


@pytest.mark.parametrize("cells", (3, 7, 21))
@pytest.mark.parametrize("size", SIZES)
def test_products_average_as_adaptive_pooling_does(size, cells) -> None:
    maps = torch.randn(2, 5, size, 11, generator=torch.Generator().manual_seed(size))
    expected = average_onto(maps, cells, 7)
    torch.testing.assert_close(average_by_product(maps, cells, 7), expected, rtol=0, atol=1e-6)


def test_what_is_exported_gathers_no_windows() -> None:
    for file in shipped_checkpoints().values():
        config = read_info(file).config
        graph = find_graph(config)
        assert graph is not None
        kinds = [node.op_type for node in onnx.load_model_from_string(graph).graph.node]
        assert "GatherND" not in kinds and kinds.count("Where") <= 2
