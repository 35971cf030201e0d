"""Tell what a finding's code means."""

from __future__ import annotations

from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.reference.catalogue import FAULTS


def explain(code: str) -> list[str]:
    """Return the page of a code as lines.

    Raises:
        KeyError: there is no such code.

    """
    rule = RULES[code]
    page = (rule.check.__doc__ or "").strip().splitlines()
    provoked = [fault.name for fault in FAULTS.values() if code in fault.codes]
    weight = "fails the run" if rule.severity == "must" else "is reported, and fails nothing"
    return [
        f"{code} ({rule.severity}: {weight})",
        f"  promise:   {rule.promise}",
        f"  proven in: {', '.join(rule.categories)}",
        f"  contract:  {rule.section}",
        f"  looks at:  {', '.join(rule.needs)}",
        *(f"  {line.strip()}" for line in page[1:] if line.strip()),
        f"  see it:    pytest --category {rule.categories[0]} --fault {provoked[0]}"
        if provoked
        else "  see it:    no fault of the reference backend breaks it yet",
    ]
