"""Reports in a browser need Node.js, Chromium and minutes, so they are looked at when asked to."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("GOLDENPATH_TEST_BROWSER") else ["test_report.py"]
