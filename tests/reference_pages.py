"""The reference pages of the documentation, made out of the code that they describe.

``GOLDENPATH_TEST_WRITE_DOCS=1 pytest tests/test_docs.py`` writes them; without the variable the
same test compares them with the files.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import pytest_goldenpath
from pytest_goldenpath.cli.main import main
from pytest_goldenpath.contract.attribution import ELSEWHERE, OFFLINE, ROWS, UNKNOWN
from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.contract.ruling import Rule
from pytest_goldenpath.plugin import FIXTURES, names
from pytest_goldenpath.plugin.options import _OPTIONS
from pytest_goldenpath.reference.faults import FAULTS, OVERLAPS, VARIANTS
from pytest_goldenpath.target import keys
from pytest_goldenpath.target.resolve import _STAGING_VARIABLES, Options, resolve
from pytest_goldenpath.verdict import bypass
from pytest_goldenpath.verdict.decide import Exit
from pytest_goldenpath.verdict.document import schema

PACKAGE = Path(pytest_goldenpath.__file__).parent
DOCS = Path(__file__).parent.parent / "docs"
_MADE = "<!-- Made from the code by tests/reference_pages.py. -->"
_PARTS = {
    "1": "Health",
    "2": "Login and token",
    "3": "Handshake",
    "4": "The five events",
    "5": "The answer",
    "6": "Isolation",
    "7": "UserExecutionContext",
    "8": "Bypass and deployment",
    "9": "Success metrics",
}
_EXITS = {
    0: "PASS; also BYPASSED with `--accept-bypass`",
    1: "FAIL: the product broke a promise, or another test of the run failed",
    2: "interrupted",
    3: "internal error of pytest",
    4: "a wrong option, setting or file; nothing was started",
    5: "nothing was collected",
    6: "pytest's `--max-warnings` was exceeded",
    75: "INCONCLUSIVE: nothing is known about the product; the same as EX_TEMPFAIL, try again later",
    80: "BYPASSED: all passed while an emergency bypass was active",
}
#: Variables that follow from no option, no key and no table of the code.
_VARIABLES = {
    "GOLDENPATH_TARGET": "what `--target` takes",
    "GOLDENPATH_ENV_FILE": "what `--env-file` takes",
    "GOLDENPATH_EMAIL": "the user of the run, with `GOLDENPATH_PASSWORD`",
    "GOLDENPATH_PASSWORD": "their password",
    "GOLDENPATH_TOKEN": "a ready access token instead of a password",
    "GOLDENPATH_EMAIL_2": "the second user, with `GOLDENPATH_PASSWORD_2`",
    "GOLDENPATH_PASSWORD_2": "their password",
    "GOLDENPATH_TOKEN_2": "a ready access token of the second user",
    "GOLDENPATH_EXPIRED_TOKEN": "a real token of the target that has expired",
    "E2E_OAUTH_SIMULATION_KEY": "logs in by the platform's simulated OAuth",
    "DATABASE_URL": "asked by the warm-up where no thread can be written",
    "HTTPS_PROXY": "the proxy on the road to a target, never to loopback; so is `HTTP_PROXY`",
    "NO_PROXY": "hosts that need no proxy",
    "SSL_CERT_FILE": "certificates to trust in place of the system's",
}
#: What the schema of the verdict does not say of itself.
_FIELDS = {
    "schema": "name and version of this form",
    "verdict": "what the run says",
    "exit_code": "of the process",
    "target": "what was validated",
    "target.name": "`local`, a name of the targets file, or the host",
    "target.backend": "address",
    "target.auth": "address",
    "target.ws": "address",
    "categories": "what was selected",
    "execution_mode": "how thorough the run was",
    "started": "when the run began",
    "duration_s": "how long it took, seconds",
    "warmup": "what was waited for before the first check",
    "warmup.mode": "of the warm-up",
    "warmup.*": "one for each probe: `vpc`, `db`, and the project's own",
    "warmup.*.ready": "whether it was proven",
    "warmup.*.took_s": "seconds until then",
    "warmup.*.budget_s": "the most seconds it might take",
    "warmup.*.probes": "how often it was asked",
    "outages.waited_s": "all waiting together, seconds",
    "bypass": "the tester's emergency bypass",
    "bypass.active": "it was asked for and counts",
    "bypass.expired": "its end has passed",
    "bypass.expires": "its end",
    "bypass.sources": "the variables that ask for it",
    "counts": "checks by outcome",
    "counts.passed": "checks",
    "counts.failed": "checks",
    "counts.inconclusive": "checks",
    "counts.skipped": "checks",
    "timings.health_p50_s": "the median answer of `/health`",
    "timings.health_p95_s": "the slowest but one in twenty",
    "timings.login_s": "the login",
    "slowest[].step": "what it was",
    "slowest[].took_s": "seconds",
    "checks[].category": "of the check",
    "checks[].excerpt.frames": "in their order",
    "checks[].excerpt.frames[].what": "what happened",
    "checks[].excerpt.frames[].is_fault": "the place of what was found",
    "http_503": "answers with 503 after readiness",
    "readiness.needed": "per cent",
    "readiness.proven": "checks",
    "readiness.selected": "checks",
    "checks": "one for each check that ran",
    "checks[].id": "pytest's node id",
    "checks[].requirements": "the codes that it proves",
    "checks[].outcome": "what is known after it",
    "checks[].attribution": "whose trouble it is; null when there is none",
    "checks[].attempts": "how often it was made",
    "checks[].duration_s": "seconds",
    "checks[].reason": "why it did not pass",
    "checks[].findings": "what was found, a *should* as well",
    "checks[].findings[].code": "of the promise",
    "checks[].findings[].severity": "a *must* fails the run",
    "checks[].findings[].message": "what was expected and what came",
    "checks[].findings[].evidence": "the proof",
    "checks[].findings[].attribution": "whose trouble this finding is",
    "reasons": "why the verdict is what it is, the weightiest first",
}


def pages() -> Mapping[str, Callable[[], str]]:
    """Return every generated page below docs/, with the function that makes it."""
    return {
        "attribution.md": attribution_page,
        "promises.md": promises_page,
        "faults.md": faults_page,
        "reference/options.md": options_page,
        "reference/keys.md": keys_page,
        "reference/environment.md": environment_page,
        "reference/fixtures.md": fixtures_page,
        "reference/markers-and-hooks.md": markers_page,
        "reference/codes.md": codes_page,
        "reference/exit-codes.md": exits_page,
        "reference/verdict.md": verdict_page,
        "reference/python.md": python_page,
        "reference/command-line.md": command_page,
    }


def page(*lines: str) -> str:
    """Join lines to a page; the second one says where it is from."""
    heading, *rest = lines
    return "\n".join([heading, "", _MADE, "", *rest]) + "\n"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Make a table; a bar in a cell stays a bar."""
    heads = list(heads)
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = [f"| {' | '.join(line)} |".replace("|  |", "| |") for line in (heads, *cells)]
    return [lines[0], "|---" * len(heads) + "|", *lines[1:]]


def attribution_page() -> str:
    """Make the table of attributions out of the rows that decide, between words of its own."""
    before, _, rest = (DOCS / "attribution.md").read_text().partition("<!-- table -->\n")
    after = rest.partition("<!-- end -->\n")[2]
    heads = ("row", "sign", "before ready", "after ready", "retry", "escalates")
    rows = (
        (r.name, r.sign, r.before_ready, r.after_ready, r.retry, "E" if r.escalates else "-")
        for r in (OFFLINE, *ROWS, UNKNOWN)
    )
    others = ((row, sign, ", ".join(codes) or "-") for row, (sign, codes) in ELSEWHERE.items())
    lines = [*table(heads, rows), "", "Decided elsewhere:", ""]
    lines += table(("row", "sign", "promises"), others)
    return "\n".join([f"{before}<!-- table -->", *lines, f"<!-- end -->\n{after}"])


def promises_page() -> str:
    """Make the page of all promises out of the registry."""
    rows = (
        (
            f"[{r.code}](reference/codes.md#{r.code.lower()})",
            r.severity,
            ", ".join(r.categories),
            r.promise,
            r.section,
        )
        for r in RULES.values()
    )
    return page(
        "# Promises",
        "What a healthy golden path keeps. A *must* fails the run; a *should* is reported. The last",
        "column is the place in the platform's contract.",
        "",
        *table(("code", "weight", "proven in", "promise", "contract"), rows),
    )


def faults_page() -> str:
    """Make the page of all faults and variants out of the catalogue."""
    faults = (
        (
            f"`{f.name}`",
            f.description,
            ", ".join(code for code in f.codes if code in RULES) or "no promise yet",
            f.row or "-",
        )
        for f in FAULTS.values()
    )
    overlaps = (
        (code, ", ".join(sorted(beside(code))), OVERLAPS[code] + ".") for code in sorted(OVERLAPS)
    )
    variants = ((f"`{v.name}`", v.family, v.description) for v in VARIANTS.values())
    return page(
        "# Faults and variants of the reference backend",
        "`--fault NAME` breaks the embedded backend. A fault has to be found by the codes beside it;",
        "those that no promise looks for yet are told as such, also in the header of a run. The last",
        "column is the row of the platform's catalogue of known failures.",
        "",
        *table(("fault", "what it does", "found by", "row"), faults),
        "",
        "## Promises that overlap",
        "",
        "Every other promise has a fault that it alone finds. For these, one cause breaks several:",
        "",
        *table(("promise", "its faults may also break", "because"), overlaps),
        "",
        "## Variants",
        "",
        "`--variant NAME` makes it speak a dialect of a healthy platform; none may be accused.",
        "",
        *table(("variant", "family", "what it is"), variants),
    )


def beside(code: str) -> set[str]:
    """Return what else the faults of a promise may break."""
    faults = [fault for fault in FAULTS.values() if code in fault.codes]
    return {other for fault in faults for other in (*fault.codes, *fault.implied)} - {code}


def options_page() -> str:
    """Make the page of options out of those that pytest is given."""
    rows = (
        (
            f"`--{name}{f' {metavar}' if metavar else ''}`".replace("|", "` or `"),
            text + (" Repeatable." if repeatable else ""),
        )
        for name, metavar, repeatable, text in _OPTIONS
    )
    return page(
        "# Options",
        "For `goldenpath run` and for `pytest`. Each also exists as `--goldenpath-<name>`; where another",
        "plugin owns the short name, only the long one is there. What they mean in detail, and which",
        "variable or key does the same: [Settings](../settings.md).",
        "",
        *table(("option", "meaning"), rows),
    )


def keys_page() -> str:
    """Make the page of keys out of their types, and of the defaults of a target without any."""
    settings_md = (DOCS / "settings.md").read_text()
    meanings = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| [^|]*\|$", settings_md, re.MULTILINE))
    environment = {"GOLDENPATH_TOKEN": "unused"}
    target = resolve(Options(target="https://api.example.com"), environment, ()).target
    own = {"auth": "the backend's", "ws": "the backend's with `/ws`", "backend": "required"}
    own |= {"prompt": "asks for a code word and a sum", "seed": "drawn for each run"}
    rows = []
    for key in keys.KEYS:
        default = own.get(key) or str(getattr(target, key, "false")).removesuffix(".0") or "none"
        meaning = meanings[key].replace("](", "](../")
        rows.append((f"`{key}`", _kind(key), default, meaning))
    return page(
        "# Keys",
        "## Of a target",
        "",
        "They stand in `[tool.goldenpath.targets.<name>]` of `pyproject.toml`, or in `[targets.<name>]` of",
        "`goldenpath.toml`. All but `production` are also read from the environment, as `GOLDENPATH_<KEY>`",
        "in capitals.",
        "",
        *table(("key", "value", "default", "meaning"), rows),
        "",
        "## Of a project",
        "",
        "They stand in `[tool.goldenpath]`, or at the top of `goldenpath.toml`:",
        "",
        *(f"- `{key}`" for key in sorted(names.FILE_KEYS)),
        "",
        "What each means: [Settings](../settings.md#options).",
    )


def _kind(key: str) -> str:
    kinds = {
        "address": keys.ADDRESS_KEYS,
        "text": keys.TEXT_KEYS,
        "seconds, up to 3600": keys.SECONDS_KEYS,
        "whole number, 1 to 200": keys.COUNT_KEYS,
    }
    return next((kind for kind, names in kinds.items() if key in names), "`true` or `false`")


def environment_page() -> str:
    """Make the page of variables; one that nobody explains here or in a table is refused."""
    known = {
        **_VARIABLES,
        **{keys.env_name(key): f"the key `{key}`" for key in keys.KEYS if key != "production"},
        **{
            keys.env_name(key): f"the key `{key}`"
            for key in names.FILE_KEYS
            if key not in {"target", "allowed_skips"}
        },
        **{name: f"{key} of the target `staging`" for key, name in _STAGING_VARIABLES.items()},
        **dict.fromkeys(bypass.VARIABLES, "`true` asks for the [bypass](../howto/bypass.md)"),
        bypass.EXPIRY_VARIABLE: "the end of the bypass; without it there is none",
    }
    unknown = sorted(_variables_in_code() - set(known))
    assert unknown == [], f"say in _VARIABLES of {Path(__file__).name} what these mean"
    return page(
        "# Environment variables",
        "The environment comes after an option, and before the env file, the targets file and the",
        "default. The env file may hold all of them but `GOLDENPATH_ENV_FILE` itself and those of the",
        "network.",
        "",
        *table(("variable", "meaning"), ((f"`{n}`", known[n]) for n in sorted(known))),
    )


def _variables_in_code() -> set[str]:
    """Return our own variables that the code names, but the reference backend's."""
    texts = (
        node.value
        for path in PACKAGE.rglob("*.py")
        if not {"reference", "suites"} & set(path.relative_to(PACKAGE).parts)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {text for text in texts if re.fullmatch(r"GOLDENPATH_[A-Z0-9]+(_[A-Z0-9]+)*", text)}


def fixtures_page() -> str:
    """Make the page of fixtures out of their definitions."""
    found = {f.name: f for f in _functions("plugin") if f.name in FIXTURES and _fixture_scope(f)}
    lines = []
    for name in sorted(found):
        function = found[name]
        gives = ast.unparse(function.returns) if function.returns else ""
        gives = re.sub(r"^AsyncIterator\[(.*)\]$|^Iterator\[(.*)\]$", r"\1\2", gives)
        scope = _fixture_scope(function)
        lines += [f"## {name}", "", f"`{gives}`, one for each {_WIDTHS[scope]}.", ""]
        lines += [*_markdown(ast.get_docstring(function) or ""), ""]
    return page(
        "# Fixtures",
        "They are there in every run with a golden path check. A test that asks for one of them is such a",
        "check. How they are used: [Checks of your own](../checks.md).",
        "",
        *lines[:-1],
    )


_WIDTHS = {"session": "run", "function": "test", "module": "file", "class": "class"}


def _functions(folder: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def _fixture_scope(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    for decorator in function.decorator_list:
        text = ast.unparse(decorator)
        if re.match(r"pytest(_asyncio)?\.fixture", text):
            scope = re.search(r"\bscope='(\w+)'", text.replace("loop_scope", "loop"))
            return scope[1] if scope else "function"
    return ""


def markers_page() -> str:
    """Make the page of markers and hooks out of their declarations."""
    rows = []
    for node in ast.walk(ast.parse((PACKAGE / "plugin" / "__init__.py").read_text())):
        if isinstance(node, ast.Call) and "addinivalue_line" in ast.unparse(node.func):
            usage, _, meaning = ast.literal_eval(node.args[1]).partition(": ")
            rows.append((f"`{usage}`", meaning))
    lines = []
    for hook in _functions("."):
        if any(ast.unparse(d).startswith("pytest.hookspec") for d in hook.decorator_list):
            hook.args.args = [a for a in hook.args.args if a.arg != "self"]
            returns = f" -> {ast.unparse(hook.returns)}" if hook.returns else ""
            told = [f"def {hook.name}({ast.unparse(hook.args)}){returns}: ..."]
            lines += [f"### {hook.name}", "", "```{ .python .signature }", *told, "```", ""]
            lines += [*_markdown(ast.get_docstring(hook) or ""), ""]
    return page(
        "# Markers and hooks",
        "## Markers",
        "",
        *table(("marker", "meaning"), sorted(rows)),
        "",
        "## Hooks",
        "",
        "A `conftest.py` or a plugin may implement them. With `@pytest.hookimpl(optionalhook=True)` it can",
        "also be read where this package is not installed.",
        "",
        *lines[:-1],
    )


def codes_page() -> str:
    """Make the page that explains each code, in the order of the golden path."""
    lines: list[str] = []
    part = ""
    for code, rule in sorted(RULES.items()):
        if code[3] != part:
            part = code[3]
            lines += [f"## {_PARTS[part]}", ""]
        lines += [f"### {code}", "", *_code(rule), ""]
    return page(
        "# Finding codes",
        "Each code is a promise, and never changes its meaning. `goldenpath explain GP-502` prints the same",
        "in a terminal. All in one table: [Promises](../promises.md).",
        "",
        *lines[:-1],
    )


def _code(rule: Rule) -> list[str]:
    weight = "it fails the run" if rule.severity == "must" else "it is reported, and fails nothing"
    faults = [f"`{fault.name}`" for fault in FAULTS.values() if rule.code in fault.codes]
    more_faults = f", and {len(faults) - 6} more" if len(faults) > 6 else ""
    more = (rule.check.__doc__ or "").strip().partition("\n")[2]
    return [
        f"{rule.promise[0].upper()}{rule.promise[1:]}.",
        "",
        *([*_markdown(inspect.cleandoc(more)), ""] if more.strip() else []),
        f"- Weight: *{rule.severity}*; {weight}.",
        f"- Proven in: {', '.join(rule.categories)}.",
        f"- Looks at: {_names(rule.needs)}.",
        *([f"- And, if they are made, at: {_names(rule.reads)}."] if rule.reads else []),
        f"- See it broken with `--fault`: {', '.join(faults[:6])}{more_faults}.",
    ]


def _names(observations: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in observations)


def exits_page() -> str:
    """Make the page of exit codes out of ours and pytest's."""
    codes = sorted({int(code) for kind in (Exit, pytest.ExitCode) for code in kind})
    return page(
        "# Exit codes",
        "The verdict decides, and `verdict.json` holds the same number.",
        "",
        *table(("code", "meaning"), ((str(code), _EXITS[code]) for code in codes)),
        "",
        "Precedence: a usage error, then FAIL, INCONCLUSIVE, BYPASSED, PASS.",
    )


def verdict_page() -> str:
    """Make the table of the verdict document out of its schema."""
    rows = ((f"`{p}`", _type(s), s.get("description") or _FIELDS.get(p, "")) for p, s in _fields())
    return page(
        "# verdict.json",
        "Every run with a golden path check writes it, before it ends. The",
        "[JSON Schema](../verdict.schema.json) is a part of the package.",
        "",
        *table(("field", "value", "meaning"), rows),
    )


def _fields(
    node: Mapping[str, Any] | None = None, place: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    node = schema() if node is None else node
    own = dict(node.get("properties", {}))
    if isinstance(node.get("additionalProperties"), dict):
        own["*"] = node["additionalProperties"]
    for name, below in own.items():
        path = f"{place}.{name}" if place else name
        yield path, below
        inner = below.get("items") or below
        yield from _fields(inner, f"{path}[]" if "items" in below else path)


def _type(node: Mapping[str, Any]) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{'null' if value is None else value}`" for value in node["enum"])
    if node.get("format") == "date-time":
        return "time" if node["type"] == "string" else "time or null"
    if "items" in node:
        inner = node["items"]
        return "list" if inner.get("type") == "object" else f"list of {_type(inner)}"
    if "type" not in node:
        return "any"
    words = {"integer": "whole number", "string": "text", "boolean": "`true`, `false`"}
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return " or ".join(words.get(kind, kind) for kind in kinds)


def python_page() -> str:
    """Make the page of public names out of their signatures and docstrings."""
    lines: list[str] = []
    for name in pytest_goldenpath.__all__:
        lines += [f"## {name}", "", *_object(getattr(pytest_goldenpath, name)), ""]
    return page(
        "# Python names",
        "All of them can be imported from `pytest_goldenpath`, and are loaded on first use.",
        "",
        *lines[:-1],
    )


def _object(thing: Any) -> list[str]:
    if not inspect.isclass(thing):
        return [*_signature("def", thing), "", *_markdown(inspect.getdoc(thing) or "")]
    if issubclass(thing, Enum):
        members = ", ".join(f"`{member.name}`" for member in thing)
        return [*_markdown(inspect.getdoc(thing) or ""), "", f"Members: {members}."]
    is_bare = issubclass(thing, Exception) and "__init__" not in vars(thing)
    told = [] if is_bare else [*_signature("class", thing), ""]
    lines = [*told, *_markdown(inspect.getdoc(thing) or "")]
    methods = [
        f"- `{name}{'' if isinstance(member, property) else _arguments(member)}`: {_first(member)}"
        for name, member in vars(thing).items()
        if not name.startswith("_") and (isinstance(member, property) or inspect.isfunction(member))
    ]
    return [*lines, "", "Gives:", "", *methods] if methods else lines


def _first(member: Any) -> str:
    return _plain((inspect.getdoc(member) or "").partition("\n")[0])


def _signature(word: str, thing: Any) -> list[str]:
    line = f"{word} {thing.__name__}{_arguments(thing)}"
    if len(line) > 88:
        inner = ",\n    ".join(_parameters(thing))
        line = f"{word} {thing.__name__}(\n    {inner},\n){_returned(thing)}"
    return ["```{ .python .signature }", f"{line}", "```"]


def _arguments(thing: Any) -> str:
    return f"({', '.join(_parameters(thing))}){_returned(thing)}"


def _returned(thing: Any) -> str:
    annotation = inspect.signature(thing).return_annotation
    return f" -> {annotation}" if isinstance(annotation, str) and annotation != "None" else ""


def _parameters(thing: Any) -> Iterator[str]:
    starred = False
    for parameter in inspect.signature(thing).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        default = parameter.default
        shown = "" if default is parameter.empty else f" = {_default(default)}"
        yield f"{parameter.name}: {parameter.annotation}{shown}"


def _default(value: object) -> str:
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    text = repr(value)
    return "..." if len(text) > 40 or text.startswith("<") else text


def _markdown(docstring: str) -> list[str]:
    """Turn a docstring with its sections into Markdown."""
    lines: list[str] = []
    inside = False
    for line in docstring.splitlines():
        section = re.fullmatch(r"(Args|Attributes|Returns|Raises|Yields):", line)
        item = re.match(r" {4}(\S[^:]*): (.*)", line)
        if section:
            inside = section[1] not in {"Returns", "Yields"}
            lines += [f"{section[1]}:", ""]
        elif inside and item:
            names = ", ".join(f"`{name}`" for name in item[1].split(", "))
            lines.append(f"- {names}: {_plain(item[2])}")
        elif inside and line.startswith(" " * 8):
            lines[-1] += f" {_plain(line.strip())}"
        else:
            inside = inside and (not line or line.startswith(" "))
            lines.append(_plain(line.strip()))
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _plain(text: str) -> str:
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    return text.replace("``", "`")


def command_page() -> str:
    """Make the page of the command out of what it says of itself."""
    whole = _help()
    lines = ["```text", whole, "```", ""]
    for name in re.findall(r"^ {4}(\w[\w-]*) {2,}", whole, re.MULTILINE):
        lines += [f"## goldenpath {name}", ""]
        if name == "run":
            lines += [
                "Runs the suites that came with the package. It takes every option of pytest, and",
                "[ours](options.md).",
                "",
            ]
            continue
        lines += ["```text", _help(name), "```", ""]
    return page("# Command line", *lines[:-1])


def _help(*command: str) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return told.getvalue().strip()
