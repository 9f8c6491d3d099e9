"""A script that takes or writes files ends like `fervt`: bad input is one line on stderr."""

import runpy
import sys

import pytest
import tiny

from fervt.resources import ROOT

DATA = "--data {here}/data.parquet"
ENDINGS = {
    "ablations": ("--data {here}/gone.parquet --runs {here}/runs", "gone.parquet"),
    "average": (f"{DATA} --out {{here}}/mean.safetensors {{here}}/x.safetensors=much", "weight"),
    "crops": (f"{DATA} --checkpoint {{here}}/x.safetensors", "data.parquet"),
    "exchange_gwa": (
        "--checkpoint {here}/x.safetensors --donor {here}/x.safetensors --out {file}/y.safetensors",
        "File exists",
    ),
    "faithfulness": (f"{DATA} --faces 1", "at least 2"),
    "train_tilt": ("{here}/gone.parquet", "gone.parquet"),
    "widen": (
        "--checkpoint {here}/x.safetensors --width 20 --out {file}/y.safetensors",
        "File exists",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_bad_input_is_one_line(name, tmp_path, monkeypatch, capsys) -> None:
    tiny.save_tiny(tmp_path / "x.safetensors")
    (tmp_path / "file").touch()
    words, said = ENDINGS[name]
    words = words.format(here=tmp_path, file=tmp_path / "file")
    monkeypatch.setattr(sys, "argv", [name, *words.split()])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "scripts" / f"{name}.py"), run_name="__main__")
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{name}: ") and said in line


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "x", ""])
def test_an_average_needs_weights_above_zero(weight, tmp_path, monkeypatch, capsys) -> None:
    words = f"--data none --out {tmp_path}/mean.safetensors a.safetensors={weight}"
    monkeypatch.setattr(sys, "argv", ["average", *words.split()])
    with pytest.raises(SystemExit):
        runpy.run_path(str(ROOT / "scripts" / "average.py"), run_name="__main__")
    assert f"'a.safetensors={weight}' is not FILE=WEIGHT" in capsys.readouterr().err
