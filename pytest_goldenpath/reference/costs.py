"""The tool that looks up what the cloud costs."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from pytest_goldenpath.reference.prompts import Sum
from pytest_goldenpath.reference.store import cloud_costs


@dataclass(frozen=True, slots=True)
class CostReport:
    """US dollars of the newest month and of the one before, by service."""

    newest: dict[str, int]
    before: dict[str, int]
    month: str
    month_before: str

    @property
    def total(self) -> int:
        """What the newest month cost."""
        return sum(self.newest.values())

    @property
    def growth(self) -> int:
        """How much more that is than the month before."""
        return self.total - sum(self.before.values())

    def as_sum(self) -> Sum:
        """Return the total as arithmetic, for a prompt that has none of its own."""
        figures = tuple(self.newest.values())
        return Sum(" plus ".join(str(figure) for figure in figures), figures, sum(figures))


def look_up(connection: Connection, services: list[str]) -> CostReport:
    """Return the costs of the named services, of all of them if none is named."""
    costs = cloud_costs
    rows = connection.execute(select(costs).order_by(costs.c.month, costs.c.service)).all()
    months = sorted({row.month for row in rows})[-2:]
    known = {row.service for row in rows}
    wanted = known & set(services) or known
    figures = {
        month: {
            row.service: row.usd for row in rows if row.month == month and row.service in wanted
        }
        for month in months
    }
    return CostReport(figures[months[-1]], figures[months[0]], months[-1], months[0])
