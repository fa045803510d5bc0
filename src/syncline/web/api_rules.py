"""API: answer rules, what one would have answered, and the open questions that one matches."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from syncline.desk import foretelling, rules
from syncline.desk.foretelling import Foretold
from syncline.desk.objects import Listing
from syncline.desk.rules import NewRule, RuleObject
from syncline.web.asking import Asker, Parts, answered

router = APIRouter(tags=["rules"])
NUMBER_MAX = 2**31 - 1

RuleId = Annotated[int, Path(ge=1, le=NUMBER_MAX, description="Number of the rule.")]


class WantedRule(BaseModel):
    """A rule: its answer and its conditions, of which all that are given must hold."""

    model_config = ConfigDict(extra="forbid")

    answer: Literal["yes", "no"]
    name: str = Field("", description="Under which its answers are recorded; made up if empty.")
    mailboxes: list[str] = Field([], description="Ids or addresses; none: all that you may make rules for.")
    category: str = Field("", description="The item carries this category in Outlook.")
    organizer: str = Field("", description="own, other, an address, or a domain such as firm.example.")
    all_day: bool | None = None
    private: bool | None = None
    same_calendar: bool | None = Field(None, description="All that is in the way came from the same mailbox.")

    def wanted(self) -> NewRule:
        """Return it as the desk takes it."""
        return NewRule(**self.model_dump(exclude={"mailboxes"}), mailboxes=tuple(self.mailboxes))


class RuleChange(BaseModel):
    """What changes about a rule: whether it is switched on, or its place (1 is first) inside its group."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool | None = None
    position: int | None = Field(None, ge=1, le=NUMBER_MAX)


class Count(BaseModel):
    """How many open questions were seen to match."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(ge=0, le=NUMBER_MAX)


class Matching(BaseModel):
    """How many open questions a rule would answer."""

    rule: int
    count: int


class Answered(BaseModel):
    """How many questions took the answer; any others were over by then."""

    answered: int


@router.get("/rules", response_model=Listing, summary="List answer rules")
def list_rules(app: Parts, viewer: Asker) -> Response:
    """Return the rules that answer for your mailboxes, in the order in which they are asked; the first answers."""
    return answered({"items": rules.listing(app, viewer), "next": None})


@router.post("/rules", response_model=RuleObject, status_code=201, summary="Make an answer rule")
def add_rule(app: Parts, viewer: Asker, body: WantedRule) -> Response:
    """Make a rule, the last of its group. A System Administrator's is for everybody, a User's for his own mailbox."""
    return answered(rules.add(app, viewer, body.wanted()), 201)


@router.post("/rules/preview", response_model=Foretold, summary="What a rule would have answered")
def preview_rule(app: Parts, viewer: Asker, body: WantedRule) -> Response:
    """Return which questions of the last 30 days a rule would have answered; nothing is stored."""
    return answered(foretelling.preview(app, viewer, body.wanted()))


@router.patch("/rules/{rule_id}", response_model=RuleObject, summary="Switch or move an answer rule")
def change_rule(app: Parts, viewer: Asker, rule_id: RuleId, body: RuleChange) -> Response:
    """Switch a rule on or off, or move it inside its group."""
    return answered(rules.change(app, viewer, rule_id, enabled=body.enabled, position=body.position))


@router.delete("/rules/{rule_id}", status_code=204, summary="Remove an answer rule")
def remove_rule(app: Parts, viewer: Asker, rule_id: RuleId) -> Response:
    """Forget a rule; what it answered stays answered."""
    rules.remove(app, viewer, rule_id)
    return Response(status_code=204)


@router.get(
    "/rules/{rule_id}/matching", response_model=Matching, summary="Count the open questions that a rule matches"
)
def count_matching(app: Parts, viewer: Asker, rule_id: RuleId) -> Response:
    """Return how many open questions the rule would answer. It leaves them to people."""
    return answered({"rule": rule_id, "count": len(foretelling.matching(app, viewer, rule_id))})


@router.post("/rules/{rule_id}/answer", response_model=Answered, status_code=202, summary="Answer what a rule matches")
def answer_matching(app: Parts, viewer: Asker, rule_id: RuleId, body: Count) -> Response:
    """Give the open questions that the rule matches its answer, as your own; refused if more match than `count`."""
    given = foretelling.answer_matching(app, viewer, rule_id, body.count)
    return answered({"answered": given.answered}, 202)
