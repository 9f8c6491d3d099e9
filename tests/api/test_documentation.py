"""`import fervt` is light, and everything that documents it runs."""

import doctest
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import fervt

ROOT = Path(__file__).parents[2]

NOTEBOOK = """
import fervt
model = fervt.load()                      # the flagship; or a shipped name, or a path
faces = model("photo.jpg")                # path, bytes, PIL image or RGB array -> Faces
faces[0].label, faces[0].confidence, faces[0].probabilities["fear"], faces[0].box_xyxy_px
faces.to_pandas(); faces.plot(); faces    # a table, a figure, an HTML card in a notebook
why = faces[0].explain(target="fear")     # Explanation: .gwa, .graph, .occlusion, .grad_cam (7, 7); .plot()
"""  # noqa: E501


def test_importing_is_quick_because_it_imports_nothing():
    code = "import sys, fervt; dir(fervt); fervt.__version__; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    modules = found.stdout.split()
    assert not {"torch", "numpy", "pandas", "plotly", "cv2", "PIL", "streamlit"} & set(modules)
    assert [name for name in modules if name.startswith("fervt")] == ["fervt", "fervt.threads"]


def test_reading_a_picture_and_catching_errors_need_no_torch():
    code = "import sys, fervt; fervt.read_image; fervt.FervtError; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout.split() == ["False"]


def test_every_public_name_is_there_and_no_other():
    for name in fervt.__all__:
        assert getattr(fervt, name) is not None
        assert name in dir(fervt)
    wanted = {"load", "Predictor", "Faces", "Face", "Explanation", "read_image", "evaluate"}
    assert wanted <= set(fervt.__all__)
    with pytest.raises(AttributeError, match="'fervt' has no attribute 'nothing'"):
        _ = fervt.nothing


@pytest.mark.parametrize(
    "name",
    [
        "fervt",
        "fervt.images",
        "fervt.api.model",
        "fervt.api.faces",
        "fervt.api.explanation",
        "fervt.api.evaluation",
    ],
)
def test_the_examples_in_docstrings_give_what_they_say(name):
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert found.attempted > 0 and found.failed == 0


@pytest.mark.parametrize("name", sorted(set(fervt.__all__) - {"FervtError", "__version__"}))
def test_every_public_thing_has_an_example(name):
    thing = getattr(fervt, name)
    assert ">>> " in thing.__doc__
    methods = vars(thing).items() if isinstance(thing, type) else ()
    for method, function in methods:
        if callable(function) and (not method.startswith("_") or method == "__call__"):
            assert f".{method}(" in thing.__doc__ or ">>> " in function.__doc__, method


def run_in(folder, monkeypatch, astronaut, sources) -> dict:
    monkeypatch.chdir(folder)
    Image.fromarray(astronaut).save("photo.jpg")
    (folder / "faces" / "happy").mkdir(parents=True)
    Image.fromarray(astronaut).save(folder / "faces" / "happy" / "one.png")
    Image.fromarray(astronaut[:, ::-1]).save(folder / "faces" / "happy" / "two.png")
    names: dict = {}
    for number, source in enumerate(sources):
        exec(compile(source, f"cell {number}", "exec"), names)
    return names


def test_the_notebook_code_of_the_design_runs_literally(tmp_path, monkeypatch, astronaut):
    names = run_in(tmp_path, monkeypatch, astronaut, [NOTEBOOK])
    assert names["faces"][0].label == "happy"
    why = names["why"]
    for values in (why.gwa, why.graph, why.occlusion, why.grad_cam):
        assert values.shape == (7, 7)


def test_the_code_in_the_documentation_runs(tmp_path, monkeypatch, astronaut, capsys):
    text = (ROOT / "docs" / "python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 5
    run_in(tmp_path, monkeypatch, astronaut, blocks)
    assert (tmp_path / "why" / "explanation.html").is_file()
    assert (tmp_path / "evaluation" / "metrics.json").is_file()
    assert capsys.readouterr().out == "'gone.jpg' is not a file.\n"


def test_the_quick_start_notebook_runs_and_holds_no_outputs(tmp_path, monkeypatch, astronaut):
    notebook = json.loads((ROOT / "docs" / "quickstart.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 8
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
    names = run_in(tmp_path, monkeypatch, astronaut, ["".join(c["source"]) for c in cells])
    assert names["faces"][0].label == "happy"
    assert (tmp_path / "why" / "explanation.html").is_file()
