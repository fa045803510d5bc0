"""How many files one cycle may remove unasked, and the question about those beyond it (design.md section 4, step 5).

Additions are never weighed. What waits for an answer stays on both sides; Yes releases it, and after a No it is agreed
about anew: what one side lacks comes back to it. It must not know how a file is removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from syncline.engine import holding
from syncline.engine.run import Run
from syncline.ports import AlertState, Link


@dataclass(slots=True)
class Removing:
    """The removals of one cycle: how many more it may make, and what people have answered about links."""

    run: Run
    budget: int
    released: frozenset[int]
    refused: frozenset[int]
    asked: frozenset[int]
    held: set[int] = field(default_factory=set)
    dealt: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)

    def allows(self, link_id: int, count: int) -> bool:
        """Return whether that many files of a link may be removed; what has been asked about waits for its answer."""
        if not count or link_id in self.released:
            return True
        if link_id in self.asked or count > self.budget:
            self.held.add(link_id)
            return False
        self.budget -= count
        return True

    def ask(self) -> None:
        """Ask about what is held, or withdraw the question that nothing is held for any more."""
        rest = self.run.store.links_by_id(sorted(self.asked - self.dealt))
        ids = tuple(sorted(self.held | {link.id for link in rest if _holds_row(link)}))
        if ids or self.asked:
            holding.weigh(self.run, [holding.Danger(code=holding.FILES, links=ids, heavy=ids)])

    def finish(self) -> None:
        """Ask a last time, and note on answered questions that nothing of what they held waits any more."""
        self.ask()
        if self.released or self.refused:
            holding.finish(self.run, (holding.FILES,), lambda link: link.id in self.failed)


def removing(run: Run) -> Removing:
    """Return what this cycle may remove; from here on no answer about it is taken back."""
    known = holding.standing(run, (holding.FILES,))
    answered = {
        answer: frozenset(number for each in known if each.answer == answer for number in each.held)
        for answer in ("yes", "no")
    }
    limits = run.rules.limits
    return Removing(
        run=run,
        budget=max(limits.items_max, int(limits.share_max * run.store.link_count(run.mailbox.id))),
        released=answered["yes"],
        refused=answered["no"],
        asked=frozenset(number for each in known if each.state is AlertState.OPEN for number in each.held),
    )


def _holds_row(link: Link) -> bool:
    return link.writes and link.crm_id is not None and not link.crm_gone
