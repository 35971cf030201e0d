"""The seams: named places where the server asks whether an active fault changes it."""

from collections.abc import Iterable
from typing import TypeVar

from pytest_goldenpath.reference.fault import Fault

T = TypeVar("T")


class Seams:
    """The effects of all active faults, by seam; several faults compose."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._effects = [effect for fault in faults for effect in fault.effects]

    def at(self, seam: str, kind: type[T]) -> T | None:
        """Return the argument of the seam (that of the last fault given), or None if it is healthy."""
        arguments = self.every(seam, kind)
        return arguments[-1] if arguments else None

    def every(self, seam: str, kind: type[T]) -> list[T]:
        """Return the arguments of all faults that act on the seam."""
        found = [argument for name, argument in self._effects if name == seam]
        for argument in found:
            if not isinstance(argument, kind):
                raise TypeError(f"seam {seam} wants {kind.__name__}, a fault gives {argument!r}")
        return [argument for argument in found if isinstance(argument, kind)]

    def on(self, seam: str) -> bool:
        """Tell whether any fault acts on the seam; for seams that are only switched."""
        return any(name == seam for name, _ in self._effects)

    def under(self, prefix: str) -> list[tuple[str, object]]:
        """Return the effects whose seam starts with the prefix, in the order of the faults."""
        return [(name, argument) for name, argument in self._effects if name.startswith(prefix)]
