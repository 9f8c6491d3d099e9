"""Data flows one way: who may import whom, and what stays out of which room."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A room is a module or folder of fervt/, or what stands above the package. Each names its nearest
# neighbors to the left; it may import those and everything left of them. New rooms are added here.
LEFT_OF = {
    "__init__": [],
    "errors": ["__init__"],
    "amounts": ["__init__"],
    "resources": ["__init__"],
    "grid": ["__init__"],
    "regions": ["grid"],
    "progress": ["__init__"],
    "threads": ["__init__"],
    "device": ["errors"],
    "onnx_session": ["__init__"],
    "labels": ["errors", "amounts"],
    "files": ["errors"],
    "options": ["errors"],
    "jpeg": ["__init__"],
    "images": ["labels", "jpeg"],
    "sandbox": ["images", "resources", "threads"],
    "faces": ["images", "onnx_session", "resources", "threads"],
    "examples": ["images", "resources"],
    "data": ["images", "files", "options", "progress", "grid"],
    "model": ["data", "grid"],
    "checkpoint_info": ["model"],
    "checkpoint": ["checkpoint_info", "resources", "threads"],
    "engines": ["checkpoint", "device", "files", "onnx_session", "threads"],
    "metrics": ["labels", "files"],
    "predict": ["checkpoint", "device", "engines", "faces", "threads"],
    "evaluation": ["explain", "metrics", "progress", "regions"],
    "training": ["evaluation"],
    "explain": ["predict", "regions"],
    "figures": ["labels", "regions", "draw"],
    "draw": ["labels", "grid"],
    "live": ["explain", "draw"],
    "bench": ["training", "live", "examples"],
    "film": ["images", "threads"],
    "video": ["live", "film", "progress"],
    "table": ["faces"],
    "pipeline": ["predict", "progress", "table"],
    "batch": ["pipeline"],
    "service": ["explain", "draw", "sandbox"],
    "reports": ["evaluation", "explain", "live", "figures", "draw"],
    "api": ["reports"],
    "jobs": ["files", "progress", "resources", "sandbox"],
    "cli": ["bench", "reports", "video", "batch", "service", "jobs", "examples"],
    "__main__": ["cli"],
    "ui": ["bench", "reports", "video", "batch", "service", "jobs", "examples"],
    "pages": ["ui"],
}


# `import fervt` is the front door: it names, for when it is first asked, what lies in these rooms.
FRONT_DOOR = ROOT / "fervt" / "__init__.py"
BEHIND_IT = {"api", "errors", "images", "threads"}


def left_of(room: str) -> set[str]:
    return set(LEFT_OF[room]).union(*(left_of(other) for other in LEFT_OF[room]))


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "fervt" else "pages"


def sources() -> list[Path]:
    files = [*ROOT.glob("fervt/**/*.py"), *ROOT.glob("pages/*.py"), *ROOT.glob("streamlit_app.py")]
    return sorted(files)


def imports_of(path: Path) -> Iterator[str]:
    """Full dotted names, wherever in the file: an import inside a function counts too."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imported_rooms(path: Path) -> set[str]:
    """Rooms of the package; what is no module of it, like a version, is `__init__`'s."""
    names = [f"{name}.__init__".split(".")[1] for name in imports_of(path) if is_ours(name)]
    modules = {file.stem for file in ROOT.glob("fervt/*") if file.name != "__pycache__"}
    return {name if name in modules else "__init__" for name in names}


def is_ours(name: str) -> bool:
    return name.split(".")[0] == "fervt"


def imported_packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path) if not is_ours(name)}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sources(), ids=named)
def test_no_module_imports_rightwards(path):
    room = room_of(path)
    assert room in LEFT_OF, f"say in LEFT_OF where fervt/{room} stands"
    allowed = BEHIND_IT if path == FRONT_DOOR else left_of(room)
    assert imported_rooms(path) - {room} <= allowed


@pytest.mark.parametrize("path", sources(), ids=named)
def test_each_room_keeps_to_its_libraries(path):
    room, packages = room_of(path), imported_packages(path)
    if room in {"figures", "draw"}:
        others = packages - set(sys.stdlib_module_names)
        assert others <= {"numpy", "plotly", "cv2", "networkx"}
    if room not in {"ui", "pages"}:
        assert not packages & {"streamlit", "streamlit_webrtc"}
    if room == "pages":
        assert not packages & {"torch", "torchvision", "torch_geometric"}


@pytest.mark.parametrize("path", sources(), ids=named)
def test_no_hooks(path):
    """Attention is a return value: a hooked model cannot serve many sessions at once."""
    names = {
        getattr(node, "attr", getattr(node, "id", ""))
        for node in ast.walk(ast.parse(path.read_text()))
    }
    assert not [n for n in names if n.startswith("register_") and n.endswith("_hook")]


@pytest.mark.parametrize("path", sources(), ids=named)
def test_only_explaining_and_evaluating_reach_the_network_behind_the_door(path):
    """Everybody else classifies through `Predictor`, which can then change what it runs on."""
    if room_of(path) not in {"predict", "explain", "evaluation"}:
        nodes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)]
        others = [node.attr for node in nodes if getattr(node.value, "id", "") != "self"]
        assert not {"_model", "network", "_run"} & set(others)
    elif room_of(path) != "predict":
        nodes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)]
        assert "_model" not in {n.attr for n in nodes if getattr(n.value, "id", "") == "predictor"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("pages/*.py")), ids=named)
def test_pages_are_thin(path):
    assert len(path.read_text().splitlines()) < 100


@pytest.mark.parametrize(
    ("call", "module"),
    [("st.query_params", "address.py"), ("st.download_button", "downloads.py")],
)
def test_one_module_has_the_only_door(call, module):
    """The address' state, and files that are made only when somebody asks for one."""
    files = [*ROOT.glob("fervt/ui/**/*.py"), *ROOT.glob("pages/*.py")]
    assert {file.name for file in files if call in file.read_text()} == {module}


def test_reading_faces_starts_without_torchvision():
    """It loads PyTorch's compiler, which took over a second of every start."""
    code = "import sys, fervt.explain; print({'torchvision', 'torch._dynamo'} & set(sys.modules))"
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
