"""What one chunk does to the state: a growing list of changes that becomes one transaction.

It knows links and alerts as values only; nothing here talks to a port.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from msgspec.structs import replace

from syncline.core.answering import AnswerRule, Facts, first
from syncline.core.answering_by_category import Mark
from syncline.core.appointment import Appointment
from syncline.core.dropping import dropped
from syncline.core.merging import canonical, differences
from syncline.core.scheduling import Verdict
from syncline.core.withholding import still_withheld
from syncline.engine import questions, ruling
from syncline.engine.alerts import answered
from syncline.engine.deciding import Decided
from syncline.engine.overtaking import Made
from syncline.engine.run import Run, failed, notice
from syncline.engine.scoping import given_away, unsettled
from syncline.errors import CATALOGUE, LASTING, TOLD_WHEN_SKIPPED, ErrorClass, SyncError
from syncline.ports import (
    Alert,
    AlertOutcome,
    AlertState,
    Changes,
    CrmRow,
    Entry,
    Intent,
    Link,
    LinkState,
    Origin,
    Trashed,
)


@dataclass
class Draft:
    """The changes of one chunk."""

    run: Run
    links: list[Link] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    intents_done: list[str] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    woken: set[int] = field(default_factory=set)
    made: list[Made] = field(default_factory=list)
    trash: list[Trashed] = field(default_factory=list)
    files_anew: list[int] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    @cached_property
    def rules(self) -> tuple[AnswerRule, ...]:
        """Return the answer rules of the mailbox, read once a chunk and only if a question would be opened."""
        return self.run.store.answer_rules(self.run.mailbox.user)

    def changes(self) -> Changes:
        """Return everything as one transaction."""
        return Changes(
            links=self.links,
            removed_links=self.removed,
            alerts=self.alerts,
            dropped_intents=self.intents_done,
            intents=self.intents,
            entries=self.entries,
            trash=self.trash,
            files_anew=self.files_anew,
            marks=self.marks,
            decided=True,
        )

    def note(self, decided: Decided, action: str, *, rule: str | None = None, detail: str = "") -> None:
        """Write one line into the journal."""
        fields = decided.action.fields
        chosen = decided.action.rule if rule is None else rule
        self.entries.append(self.run.entry(decided.link, action, chosen, fields=fields, detail=detail))

    def settle(self, link: Link) -> None:
        """Keep a link whose observation has been dealt with."""
        self.links.append(replace(link, revision_settled=link.revision, seen_settled=link.seen))

    def saved(self, decided: Decided, link: Link, reason: str, *, outward: bool = False) -> None:
        """Keep a link that agrees with its row now; a question about it is carried out or withdrawn.

        `outward`: nothing was written, so that what waited to be shown in Exchange still waits (A-04).
        """
        pending = link.crm_version != link.crm_version_seen
        waits = pending or (outward and link.crm_settled < 0)
        clean = replace(
            link,
            crm_settled=unsettled(link) if waits else link.crm_version_seen,
            withheld=_withheld(decided.link, link),
            doubted=False,
            state=LinkState.UNSETTLED if pending else LinkState.SETTLED,
            writes=True,
            sync_error=None,
            error_params={},
            error_time=None,
            retries=0,
            next_try=None,
            decision=None,
            decision_by=None,
            decided_digest="",
            decided_left_out=(),
            left_out=tuple(sorted({*link.left_out, *decided.leaving})),
            scheduling_digest=decided.written_digest,
            revision_settled=link.revision,
            seen_settled=link.seen,
        )
        self.links.append(clean)
        self.close(decided, reason, saved=True)
        self.woken.update(decided.waiting)

    def close(
        self, decided: Decided, reason: str, *, saved: bool = False, over: bool = False, but: str | None = None
    ) -> None:
        """Close the question of a link, if there is one that is not final, and withdraw the notices about it.

        `over`: this mailbox keeps the item in step no longer, which ends what is `LASTING` too. `but` is a code of
        notices that stand on.
        """
        self.quiet(decided, reason, but=but)
        if over:
            lasting = (each for each in decided.notices if each.code in LASTING)
            self.alerts.extend(questions.withdrawn(self.run, each, reason) for each in lasting)
        alert = decided.alert
        if alert is not None and alert.state is not AlertState.WITHDRAWN:
            self.alerts.append(questions.closed(self.run, alert, reason, saved=saved))

    def quiet(self, decided: Decided, reason: str, *, but: str | None = None) -> None:
        """Withdraw the notices about an item, except those with the code `but` and what is `LASTING` (5.6)."""
        over = (each for each in decided.notices if each.code not in (but, *LASTING))
        self.alerts.extend(questions.withdrawn(self.run, each, reason) for each in over)

    def item_deleted(self, link: Link, row: CrmRow | None) -> None:
        """Forget the link of an item that was deleted in Exchange; that of a row that goes on stays (A-14)."""
        waiting = given_away(self.run, link, row)
        if waiting is None:
            self.removed.append(link.id)
        else:
            self.links.append(waiting)

    def made_instead(self, link: Link) -> None:
        """Note what was made in place of what was given up for this link: what comes late beside it is a double."""
        for intent in self.run.given_up:
            if intent.link_id == link.id and not intent.instead:
                self.intents_done.append(intent.id)
                self.intents.append(replace(intent, instead=link.ref))

    def keep_deleted(
        self, link: Link, side: Origin, content: Appointment, reason: str, *, private: bool = False
    ) -> None:
        """Keep the content that a deletion removed from one side; `private`: what it belonged to is."""
        kept = Trashed(
            mailbox_id=link.mailbox_id,
            side=side,
            appointment=content,
            private=private or content.private,
            reason=reason,
            deleted_on=self.run.now(),
        )
        self.trash.append(kept)

    def keep_dates(
        self, link: Link, side: Origin, before: Appointment, after: Appointment, gone: Set[datetime]
    ) -> None:
        """Keep what a series said on one side in dates that a write has removed there (decision 0034)."""
        parts = dropped(before, after, gone)
        if not parts:
            return
        compared = self.run.projected(before) if side is Origin.EXCHANGE else canonical(before)
        now, agreed = _by_start(compared), _by_start(link.agreed)
        for part in parts:
            start = part.identity.original_start
            same = start in agreed and not differences(agreed[start], now[start])
            self.keep_deleted(link, side, part, "deleted" if same else "edited", private=before.private)

    def withdraw_notices(self, link_ids: Sequence[int], reason: str) -> None:
        """Withdraw the notices about items that are in step again; questions stay, and what is `LASTING`."""
        standing = self.run.store.open_alerts(self.run.mailbox.id, link_ids)
        notices = (each for each in standing if CATALOGUE[each.code].error_class is not ErrorClass.NEEDS_ANSWER)
        over = (each for each in notices if each.code not in LASTING)
        self.alerts.extend(questions.withdrawn(self.run, each, reason) for each in over)

    def drop(self, decided: Decided, action: str, reason: str) -> None:
        """Remove a link; its question is withdrawn, the row stays as it is."""
        self.removed.append(decided.link.id)
        self.close(decided, reason, over=True)
        self.note(decided, action)

    def skip(self, decided: Decided, code: str) -> None:
        """Leave an item out by a rule; never a failure (5.1)."""
        link = replace(
            decided.link,
            state=LinkState.SKIPPED,
            sync_error=code,
            error_params={"subject": decided.link.subject},
            error_time=self.run.now(),
            retries=0,
            next_try=None,
        )
        self.settle(link)
        self.close(decided, "left out by a rule", over=True, but=code)
        if code in TOLD_WHEN_SKIPPED:
            self.alerts.append(notice(self.run, link, SyncError(code, subject=link.subject)))
        self.note(decided, "skipped", detail=code)
        self.run.counts.skipped += 1

    def keep_out(self, decided: Decided, *, by_setting: bool = False) -> None:
        """Keep an item out by an answer or by the mailbox's setting (Q-04, Q-10)."""
        link = replace(
            decided.link,
            state=LinkState.PARKED if decided.link.crm_id else LinkState.KEPT_OUT,
            sync_error=None,
            error_time=decided.link.error_time or self.run.now(),
            decision="no",
            decided_left_out=(),
            decision_by="setting" if by_setting else decided.link.decision_by,
            scheduling_digest=decided.link.scheduling_digest if decided.link.crm_id else decided.digest,
            decided_digest=decided.digest,
        )
        self.settle(link)
        if decided.alert is not None and decided.alert.outcome is not AlertOutcome.KEPT_OUT:
            self.alerts.append(questions.carried_out(self.run, decided.alert, AlertOutcome.KEPT_OUT))
        self.quiet(decided, "kept out")
        self.woken.update(decided.waiting)
        self.note(decided, "kept out", rule="Q-10" if by_setting else "Q-04", detail="by setting" if by_setting else "")

    def ask(self, decided: Decided, link: Link, verdict: Verdict) -> None:
        """Hold an item back and ask (A-23, Q-08); the same question again is only brought up to date.

        A question that an answer rule answers comes with its answer, which is carried out like a person's.
        """
        facts = ruling.facts(self.run, decided, verdict, self.links)
        rule = self.ruled(decided, facts)
        alert = replace(questions.asked(self.run, decided, verdict), facts=facts)
        if rule is not None:
            alert = answered(alert, rule.answer, rule.signature, self.run.now())
        self.alerts.append(alert)
        self.quiet(decided, "it waits for an answer now")
        asked = replace(
            link,
            state=LinkState.ASKED,
            writes=True,
            sync_error=questions.CONFLICT,
            error_params=alert.params,
            error_time=link.error_time if alert.id else self.run.now(),
            retries=link.retries + (0 if alert.id else 1),
            decision=alert.answer,
            decision_by=alert.decided_by,
            decided_digest=decided.digest if rule else "",
            decided_left_out=(),
            scheduling_digest=link.scheduling_digest if link.crm_id else decided.digest,
        )
        self.settle(asked)
        if not alert.id or link.state is LinkState.FAILED:
            self.note(decided, "asked", detail=questions.unavailable(verdict))
        if rule is None:
            self.run.counts.waiting += 1
        else:
            self.note(decided, "answered", rule="Q-02", detail=f"{rule.answer} by {rule.signature}")
            self.woken.add(self.run.mailbox.id)

    def rule_for(self, decided: Decided, verdict: Verdict) -> AnswerRule | None:
        """Return the answer rule that would answer if this were asked."""
        if not self.rules:
            return None
        return self.ruled(decided, ruling.facts(self.run, decided, verdict, self.links))

    def ruled(self, decided: Decided, facts: Facts) -> AnswerRule | None:
        """Return the answer rule that answers by these facts; an open question is left to people."""
        if not ruling.opens(decided):
            return None
        return first(self.rules, self.run.mailbox.id, self.run.mailbox.user, facts)

    def fail(self, decided: Decided, error: SyncError) -> None:
        """Count one failed try of one item; others go on (B-05)."""
        link = failed(self.run, decided.link, error)
        self.links.append(replace(link, revision_settled=link.revision, seen_settled=link.seen))
        self.note(decided, "failed", detail=error.text)
        self.quiet(decided, "it fails for another reason now", but=error.code)
        self.alerts.append(notice(self.run, decided.link, error))
        if decided.alert is not None and decided.alert.state is AlertState.ANSWERED:
            self.alerts.append(questions.not_yet(decided.alert, error))
        self.run.counts.failed += 1


def _by_start(series: Appointment | None) -> dict[datetime | None, Appointment]:
    return {} if series is None else {part.identity.original_start: part for part in series.exceptions}


def _withheld(before: Link, after: Link) -> Appointment | None:
    if before.withheld is None or before.agreed is None or after.agreed is None:
        return None
    return still_withheld(before.agreed, before.withheld, after.agreed)


def written(link: Link, agreed: Appointment, content: Appointment, version: int) -> Link:
    """Return the link after its row was written with `content` as `version`.

    What the row holds beside what is agreed is a CRM-side edit that waits: it stays visible as unsettled.
    """
    waits = bool(differences(agreed, content))
    return replace(
        link,
        agreed=agreed,
        crm_version=link.crm_version if waits else version,
        crm_version_seen=version,
        crm_gone=False,
    )
