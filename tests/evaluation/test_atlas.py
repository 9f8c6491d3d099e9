"""Means, spreads and differences of maps: against SciPy, by simulation, and on a planted model."""

import numpy as np
import pytest
import tiny
import torch
from scipy.stats import ttest_1samp, ttest_ind, ttest_rel

from fervt.data.prepared import PreparedData
from fervt.data.transforms import Preprocess
from fervt.engines import TorchEngine
from fervt.errors import DataError
from fervt.evaluation.atlas import (
    Interval,
    compare_edges,
    compare_maps,
    compare_paired,
    compare_paired_edges,
    compare_regions,
    describe_clear_cells,
    describe_clear_regions,
    describe_template,
    summarize_maps,
    summarize_regions,
)
from fervt.evaluation.measuring import measure_evidence
from fervt.evaluation.parts import template_share
from fervt.model import FERVTOutput
from fervt.predict import Predictor
from fervt.regions import REGIONS, region_of

CELLS = {label: (1 + label // 3, 1 + 2 * (label % 3)) for label in range(7)}
"""Where the planted model looks for each class."""


def draw(seed: int, n: int, shift: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    scale = random.uniform(0.5, 2, 49)
    return random.normal(shift, scale, (n, 49)).astype(np.float32)


def test_differences_are_welchs() -> None:
    a, b = draw(0, 40, 0.4), draw(1, 23)
    found = compare_maps(a, b)
    for cell in range(49):
        wanted = ttest_ind(a[:, cell], b[:, cell], equal_var=False)
        low, high = wanted.confidence_interval(1 - 0.05 / 49)
        at = divmod(cell, 7)
        assert found.value[at] == pytest.approx(a[:, cell].mean() - b[:, cell].mean(), abs=1e-5)
        assert (found.low[at], found.high[at]) == pytest.approx((low, high), abs=1e-5)
        assert found.is_clear[at] == (wanted.pvalue < 0.05 / 49)


def test_paired_differences_and_regions_are_students() -> None:
    a, b = draw(0, 31, 0.5), draw(1, 31)
    found = compare_paired(a, b)
    low, high = ttest_rel(a[:, 12], b[:, 12]).confidence_interval(1 - 0.05 / 49)
    assert (found.low[1, 5], found.high[1, 5]) == pytest.approx((low, high), abs=1e-5)
    regions = summarize_regions(a)
    for number, cells in enumerate(REGIONS.values()):
        means = np.mean([a[:, 7 * r + c] for r, c in cells], axis=0)
        low, high = ttest_1samp(means, 0).confidence_interval(1 - 0.05 / len(REGIONS))
        assert regions.value[number] == pytest.approx(means.mean(), abs=1e-5)
        assert (regions.low[number], regions.high[number]) == pytest.approx((low, high), abs=1e-5)
    assert compare_regions(a, b).value == pytest.approx(
        regions.value - summarize_regions(b).value, abs=1e-5
    )


def test_intervals_cover_all_cells_at_once_at_their_rate() -> None:
    random = np.random.default_rng(0)
    scale, truth = random.uniform(0.5, 3, 49), random.normal(size=49)
    rounds, covered = 1500, 0
    for _ in range(rounds):
        a = random.normal(truth, scale, (30, 49))
        b = random.normal(0, 2 * scale, (50, 49))
        found = compare_maps(a, b)
        covered += bool(((found.low.ravel() <= truth) & (truth <= found.high.ravel())).all())
    # 0.95 and a bit more, as Bonferroni's are; five standard errors of the simulation below it
    assert covered / rounds > 0.95 - 5 * np.sqrt(0.95 * 0.05 / rounds)
    assert covered / rounds < 0.985


def test_the_share_that_the_mean_map_explains() -> None:
    one = np.random.default_rng(0).uniform(0.5, 1.5, 49)
    weights = np.random.default_rng(1).gamma(3, 1 / 3, (60, 49))
    weights /= weights.mean(axis=1, keepdims=True)
    assert summarize_maps(np.tile(one, (5, 1))).template_share == pytest.approx(1)
    assert summarize_maps(weights).template_share == pytest.approx(
        template_share(weights.reshape(-1, 7, 7)), abs=1e-3
    )
    same = describe_template("GWA", summarize_maps(np.tile(one, (20, 1))))
    assert "nearly the same for everybody" in same and "100%" in same
    assert "differs from face to face" in describe_template("GWA", summarize_maps(weights))
    assert summarize_maps(np.ones((3, 49))).template_share == 1


@pytest.mark.parametrize("alike", [True, False])
def test_few_faces_get_no_verdict(alike: bool) -> None:
    maps = np.tile(draw(0, 1), (20, 1)) if alike else draw(0, 20)
    few, enough = summarize_maps(maps[:19]), summarize_maps(maps)
    assert not few.is_template and enough.is_template == alike
    said = describe_template("GWA", few)
    assert said.startswith("It takes 20 faces") and said.endswith("there are 19.")
    assert "takes 20 faces" not in describe_template("GWA", enough)


def test_one_face_has_no_interval() -> None:
    for call in (summarize_maps, summarize_regions):
        with pytest.raises(DataError, match="at least two faces"):
            call(draw(0, 1))
    with pytest.raises(DataError, match="at least two faces"):
        compare_maps(draw(0, 5), draw(1, 1))


def test_words_for_what_differs() -> None:
    value, low, high = np.zeros((7, 7)), np.full((7, 7), -1.0), np.full((7, 7), 1.0)
    none = describe_clear_cells(Interval(value, low, high), "wrong", "right")
    assert none == "No cell differs clearly between wrong and right."
    value[5, 3], low[5, 3] = 2, 1
    value[2, 1], high[2, 1] = -2, -1
    some = describe_clear_cells(Interval(value, low, high), "wrong", "right")
    assert "more in 1 cell (mouth)" in some and "less in 1 cell (eyes)" in some


class Planted(torch.nn.Module):
    """Reads one cell a class: its brightness is the class's logit."""

    def forward(self, images, intervention=None):
        cells = torch.nn.functional.adaptive_avg_pool2d(images[:, :1], 7)
        masks = torch.zeros(len(CELLS), 7, 7)
        for label, (row, column) in CELLS.items():
            masks[label, row, column] = 1
        features = cells * masks
        logits = features.sum(dim=(2, 3))
        weights = (cells[:, 0] - cells.amin() + 0.1) * masks.amax(dim=0)
        return FERVTOutput(
            logits=logits,
            class_embedding=logits,
            gwa_weights=weights / weights.mean(dim=(1, 2), keepdim=True),
            gwa_map=None,
            fused_features=images,
            node_features=None,
            graph_features=None,
            gat_edge_index=None,
            gat_attention=None,
            gnn_features=None,
            feature_map=features,
            tokens=logits[:, None],
            transformer_attention=(),
            gwa_logits=None,
            gnn_logits=None,
        )


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A predictor around the planted model, and faces with one bright cell for their label."""
    predictor = Predictor(tiny.save_tiny(tmp_path_factory.mktemp("planted")))
    predictor._model = Planted()
    predictor.engine = TorchEngine(predictor._model, predictor.device)
    object.__setattr__(predictor.info, "preprocess", Preprocess(28, 0.4, 0.25, crop=28 / 48))
    labels = np.arange(70) % 7
    faces = np.random.default_rng(0).integers(90, 110, (70, 48, 48), dtype=np.uint8)
    for face, label in zip(faces, labels, strict=True):
        row, column = CELLS[label]
        face[10 + 4 * row : 14 + 4 * row, 10 + 4 * column : 14 + 4 * column] = 250
    data = PreparedData.from_rows(
        faces, np.arange(70), np.repeat("PrivateTest", 70), labels,
        np.tile(np.array([0, 3, 0, 5, 0, 0, 1, 0, 1, 0], np.uint8), (70, 1)), "drawn", "drawn",
    )  # fmt: skip
    return measure_evidence(lambda *_: None, predictor, data, labels, occlusion=True), labels


def test_the_atlas_shows_exactly_the_cells_that_a_planted_model_reads(planted) -> None:
    evidence, labels = planted
    assert list(evidence.maps) == ["gwa", "grad_cam", "occlusion"] and evidence.edges is None
    for source in ("grad_cam", "occlusion"):
        for label, cell in CELLS.items():
            mean = summarize_maps(evidence.maps[source][labels == label]).mean
            assert mean[cell] == mean.max() > 0
            if source == "grad_cam":
                mean[cell] = 0
                assert np.abs(mean).max() < 1e-6
                continue
            others = mean.copy()
            others[cell] = 0
            assert np.abs(others).max() < 0.15 * mean[cell]
    for label, cell in CELLS.items():
        difference = compare_maps(
            evidence.maps["grad_cam"][labels == label], evidence.maps["grad_cam"][labels != label]
        )
        above = (difference.value > 0) & difference.is_clear
        assert np.argwhere(above).tolist() == [list(cell)]
        assert region_of(*cell) in describe_clear_cells(difference, "these", "others")


@pytest.mark.parametrize("paired", [False, True])
def test_differences_of_edges_are_welchs_and_students(paired: bool) -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0.2, 0.1, (40, 5)), random.normal(0.25, 0.05, (40 if paired else 23, 5))
    a[:, 2] += 0.3
    found = compare_paired_edges(a, b) if paired else compare_edges(a, b)
    for edge in range(5):
        x, y = a[:, edge], b[:, edge]
        wanted = ttest_rel(x, y) if paired else ttest_ind(x, y, equal_var=False)
        low, high = wanted.confidence_interval(1 - 0.05 / 5)
        assert found.value[edge] == pytest.approx(x.mean() - y.mean(), abs=1e-5)
        assert (found.low[edge], found.high[edge]) == pytest.approx((low, high), abs=1e-5)
    assert found.is_clear[2]
    with pytest.raises(DataError, match="two faces"):
        (compare_paired_edges if paired else compare_edges)(a[:1], b[:1])


def test_differences_of_regions_are_welchs_and_said() -> None:
    a, b = draw(0, 40), draw(1, 23)
    for row, column in REGIONS["mouth"]:
        a[:, 7 * row + column] += 5
    found = compare_regions(a, b)
    for number, cells in enumerate(REGIONS.values()):
        x, y = (np.mean([each[:, 7 * r + c] for r, c in cells], axis=0) for each in (a, b))
        wanted = ttest_ind(x, y, equal_var=False).confidence_interval(1 - 0.05 / len(REGIONS))
        assert (found.low[number], found.high[number]) == pytest.approx(wanted, abs=1e-4)
    said = describe_clear_regions(found, "points", "wrong", "right")
    assert said.startswith("Regions that differ clearly, wrong against right, points: mouth +")
    none = describe_clear_regions(compare_regions(b, b), "points", "wrong", "right")
    assert none == "No region differs clearly between wrong and right."
