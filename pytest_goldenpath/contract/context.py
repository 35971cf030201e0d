"""What is known of an imported UserExecutionContext: plain data, compared by the rules alone."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_goldenpath.contract.findings import excerpt


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was done with the imported class, and what came of it.

    Attributes:
        name: what was done, such as ``refuse run_id=None``.
        raised: class names of the exception, its own before its bases'; empty when it returned.
        message: the exception's, cut and printable.
        seen: what could be seen afterwards; texts as they are, other values as Python writes them.
    """

    name: str
    raised: tuple[str, ...] = ()
    message: str = ""
    seen: dict[str, str] | None = None

    def shows(self, name: str) -> str:
        """Return what was seen under a name, '' when nothing was."""
        return (self.seen or {}).get(name, "")

    def outcome(self) -> str:
        """Say in a few words what came."""
        if not self.raised:
            return "no exception"
        return f"{self.raised[0]}: {self.message}" if self.message else self.raised[0]

    def evidence(self) -> str:
        """Give the trial as a person reads it, in one line."""
        seen = ", ".join(f"{name}={value}" for name, value in (self.seen or {}).items())
        return excerpt(f"{self.name} -> {self.outcome()}{f'; {seen}' if seen else ''}", 400)


@dataclass(frozen=True, slots=True)
class Home:
    """Where one of the documented names was found.

    Attributes:
        name: such as ``ExecutionState``.
        module: where it is, or ''.
        reason: why it was not found, or ''.
        foreign: the reason lies in this machine, such as a library that is not installed.
    """

    name: str
    module: str = ""
    reason: str = ""
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class ContextFacts:
    """What a probe saw of an imported class.

    Attributes:
        path: import path of the class.
        signature: the parameters of ``from_request``, as Python writes them.
        given: the ids that contexts were made with.
        homes: the documented names that belong to it.
        trials: what was done, in order.
    """

    path: str
    signature: str
    given: dict[str, str]
    homes: tuple[Home, ...] = ()
    trials: tuple[Trial, ...] = ()

    def trial(self, name: str) -> Trial | None:
        """Return the trial of a name, or None when it was not made."""
        return next((trial for trial in self.trials if trial.name == name), None)
