"""The shape of the code: sizes, frozen data, public names, checks that look, cheap loading."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_goldenpath
from pytest_goldenpath.contract.registry import OWNERS, RULES
from pytest_goldenpath.reference.faults import FAULTS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pytest_goldenpath"
MODULES = sorted(PACKAGE.rglob("*.py"))
CHECKS = sorted((ROOT / "suites").rglob("test_*.py"))
MOST_LINES = 400
MOST_FUNCTION_LINES = 50
#: What lets a file be run by its name, as runbooks do.
SCRIPT_TAIL = "if __name__ == '__main__':\n    raise SystemExit(run_file(__file__))"
HEAVY = (
    "allure",
    "cattrs",
    "dotenv",
    "filelock",
    "httpx",
    "jwt",
    "pydantic",
    "pytest_asyncio",
    "sqlalchemy",
    "starlette",
    "tenacity",
    "uvicorn",
    "websockets",
)


def name_of(path: Path) -> str:
    """Return a path as it is told in a test's id."""
    return str(path.relative_to(ROOT))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return every function of a module."""
    tree = ast.parse(path.read_text())
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_file_can_be_read_in_one_sitting(path: Path) -> None:
    """No module is over 400 lines and no function over 50."""
    long = [
        f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno >= MOST_FUNCTION_LINES
    ]

    assert len(path.read_text().splitlines()) <= MOST_LINES
    assert long == []


@pytest.mark.parametrize(
    "path",
    sorted([*(PACKAGE / "contract").rglob("*.py"), *(PACKAGE / "verdict").rglob("*.py")]),
    ids=name_of,
)
def test_data_between_layers_is_frozen(path: Path) -> None:
    """Every dataclass of the pure layers is frozen and slotted."""
    decorators = [
        ast.unparse(decorator)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
    ]

    assert [d for d in decorators if d != "dataclass(frozen=True, slots=True)"] == []


@pytest.mark.parametrize("path", CHECKS, ids=name_of)
def test_every_check_looks(path: Path) -> None:
    """A check names its promises and ends in prove(); there is nothing else in it to be wrong."""
    for function in functions(path):
        body = [ast.unparse(statement) for statement in function.body[1:]]
        markers = [ast.unparse(decorator) for decorator in function.decorator_list]

        assert ast.get_docstring(function)
        assert body == ["prove()"]
        assert any(marker.startswith("pytest.mark.requirement('GP-") for marker in markers)


@pytest.mark.parametrize("path", CHECKS, ids=name_of)
def test_every_file_of_checks_is_a_script(path: Path) -> None:
    """Beside its checks a file holds a name for a type, and the tail that runs it; no more."""
    docstring, *statements, tail = ast.parse(path.read_text()).body
    others = [s for s in statements if not isinstance(s, ast.ImportFrom | ast.Import)]

    assert isinstance(docstring, ast.Expr)
    assert ast.unparse(tail) == SCRIPT_TAIL
    assert ast.unparse(others[0]) == "Prove = Callable[[], None]"
    assert [ast.unparse(s) for s in others[1:] if not isinstance(s, ast.FunctionDef)] == []


def test_every_promise_is_proven_in_each_of_its_categories() -> None:
    """No promise of a category that has checks is without one."""
    proven = {
        (path.parent.name, code)
        for path in CHECKS
        for code in RULES
        if f'"{code}"' in path.read_text()
    }
    built = {path.parent.name for path in CHECKS}
    wanted = {(c, rule.code) for rule in RULES.values() for c in rule.categories if c in built}

    assert proven == wanted


def test_every_must_has_a_fault_that_it_has_to_find() -> None:
    """Each promise is seen to be broken by some fault of the reference backend."""
    provoked = {code for fault in FAULTS.values() for code in fault.codes}

    assert set(RULES) - provoked == set()


def test_observations_have_owners() -> None:
    """Every observation that a rule needs or reads has a rule that owns it."""
    looked_at = {name for rule in RULES.values() for name in (*rule.needs, *rule.reads)}

    assert looked_at == set(OWNERS)


def test_public_names_are_sorted_and_there() -> None:
    """The public names are sorted, and each can be had."""
    names = pytest_goldenpath.__all__

    assert names == sorted(names)
    assert [name for name in names if not hasattr(pytest_goldenpath, name)] == []


def test_unknown_public_name_is_an_attribute_error() -> None:
    """Asking the package for something it has not is an ordinary error."""
    with pytest.raises(AttributeError, match="no_such_name"):
        pytest_goldenpath.no_such_name  # noqa: B018


@pytest.mark.real_python
def test_loading_the_plugin_imports_nothing_heavy() -> None:
    """An unrelated run of pytest never pays for what only a check needs."""
    code = (
        f"import pytest_goldenpath.plugin, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_no_constant_is_asserted() -> None:
    """No test asserts something that cannot fail."""
    constant = [
        f"{path.name}:{node.lineno}"
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant)
    ]

    assert constant == []
