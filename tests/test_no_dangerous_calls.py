"""No dangerous calls: nothing that is shipped runs text as code, unpickles, or hands a string to a shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PATHS = sorted(
    path for folder in ("alto_lg", "adapters", "apps", "comparisons") for path in (ROOT / folder).rglob("*.py")
)
BUILTINS = {"eval", "exec", "__import__"}
CALLS = {
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "numpy.load",
    "np.load",
    "torch.load",
    "tempfile.mktemp",
}
SWITCHES = {"shell", "allow_pickle", "pickle_fallback", "allow_dangerous_deserialization"}
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "jsonpickle"}


def dangers(text: str) -> Iterator[str]:
    """What a source text does that nothing of ours may do, with its line."""
    for item in ast.walk(ast.parse(text)):
        if isinstance(item, ast.Import):
            names = [alias.name for alias in item.names]
        elif isinstance(item, ast.ImportFrom):
            names = [item.module or ""]
        else:
            names = []
        yield from (f"line {item.lineno}: {name}" for name in names if name.split(".")[0] in MODULES)
        if isinstance(item, ast.Call):
            yield from (f"line {item.lineno}: {danger}" for danger in _of_call(item))


def _of_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    if name in BUILTINS or name in CALLS:
        yield f"{name}()"
    for keyword in call.keywords:
        value = keyword.value
        allowed = isinstance(value, ast.Constant) and value.value is False
        if (
            keyword.arg in ("shell", "allow_pickle", "pickle_fallback", "allow_dangerous_deserialization")
            and not allowed
        ):
            yield f"{keyword.arg}="


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_shipped_module_does_nothing_dangerous(path: Path) -> None:
    assert list(dangers(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "import cloudpickle as c",
        "eval(text)",
        "exec(text)",
        "__import__(name)",
        "yaml.load(stream)",
        "subprocess.run(line, shell=True)",
        "subprocess.run(line, shell=flag)",
        "numpy.load(path)",
        "index.load(path, allow_pickle=True)",
        "os.system(line)",
    ],
)
def test_a_dangerous_text_is_found(text: str) -> None:
    assert list(dangers(text))


@pytest.mark.parametrize(
    "text",
    ["yaml.safe_load(stream)", "subprocess.run([a], shell=False)", "re.compile(p)", "graph.compile()", "model.eval()"],
)
def test_a_harmless_text_is_not_found(text: str) -> None:
    assert list(dangers(text)) == []
