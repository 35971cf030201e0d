"""The conftest of the folder in which ``goldenpath run`` is called, as a plugin of the run.

pytest looks for a conftest beside the tests only, and the suites are in the installed package. A
plugin by name is loaded by the workers of a run as well, which start in the same folder.
"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any


def _conftest() -> dict[str, Any]:
    spec = spec_from_file_location("goldenpath_folder_conftest", Path("conftest.py").resolve())
    if spec is None or spec.loader is None:
        return {}
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if not name.startswith("__")}


globals().update(_conftest())
