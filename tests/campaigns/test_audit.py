"""The audit: what leaves a trace, that the chain shows any change, and that nobody waits for it."""

from __future__ import annotations

import datetime as dt
import io
import json
import threading
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from campaigns import audit
from campaigns.models import AppendOnly, AuditEntry, AuditLink, Campaign, User
from campaigns.scope import all_landlords
from tenants.case_states import Move
from tenants.models import CaseEvent, SurveyCase
from tests.factories.campaigns import PASSWORD, LandlordFactory, UserFactory
from tests.factories.tenants import CaseFactory

TODAY = dt.date(2026, 10, 1)


def written(action: str) -> list[AuditEntry]:
    """The entries of that action, oldest first."""
    return list(AuditEntry.objects.filter(action=action).order_by("pk"))


def chain(number: int, now: dt.datetime) -> None:
    """So many entries, covered."""
    for index in range(number):
        audit.record(action="access.essai", at=now, kind="case", pk=index)
    audit.seal()


GUARDS = {AuditEntry: "audit_entry_guard", AuditLink: "audit_link_guard"}


def meddle(sql: str, *values: Any) -> None:
    """Change the tables behind everybody's back, guards down as only their owner could."""
    with connection.cursor() as cursor:
        for state in ("DISABLE", "", "ENABLE ALWAYS"):
            if not state:
                cursor.execute(sql, values)
            elif connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                for model, guard in GUARDS.items():
                    cursor.execute(f"ALTER TABLE {model._meta.db_table} {state} TRIGGER {guard}")


# ── What leaves a trace ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
class TestTraces:
    def test_a_move_of_a_case_is_recorded_with_who_and_which_case(self, manager: User, now: dt.datetime) -> None:
        case = CaseFactory()
        case.move(Move.EXEMPT, now=now, actor=manager, data={"comment": "Décédé"})
        (entry,) = written("case.exempt")

        assert (entry.who, entry.user, entry.case_reference, entry.at) == ("user", manager, case.reference, now)
        assert entry.data == {"sha256": CaseEvent.objects.get().digest}

    def test_events_written_together_are_recorded_each(self, now: dt.datetime) -> None:
        cases = CaseFactory.create_batch(3)
        CaseEvent.objects.bulk_create(CaseEvent(case=case, kind="message_sent", occurred_at=now) for case in cases)

        entries = written("case.message_sent")
        assert [entry.case_reference for entry in entries] == [case.reference for case in cases]
        assert {entry.who for entry in entries} == {"machine"}

    def test_what_is_rolled_back_was_never_recorded(self, now: dt.datetime) -> None:
        case = CaseFactory()
        with transaction.atomic():
            case.tell("constat", now=now)
            transaction.set_rollback(True)
        assert written("case.constat") == []

    def test_signing_in_failing_to_and_out_are_recorded_with_where_from(self, client: Client, manager: User) -> None:
        phone = {"HTTP_USER_AGENT": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)", "REMOTE_ADDR": "192.0.2.7"}
        for password in ("faux", PASSWORD):
            client.post(reverse("login"), {"username": manager.username, "password": password}, **phone)
        client.post(reverse("login"), {"username": "personne", "password": "faux"}, **phone)
        client.post(reverse("logout"), **phone)

        failed, unknown = written("signin.failed")
        assert (failed.object_id, failed.address, failed.agent) == (str(manager.pk), "192.0.2.7", "téléphone")
        assert unknown.object_id == ""
        assert [entry.user for entry in (*written("signin.in"), *written("signin.out"))] == [manager, manager]
        assert "personne" not in json.dumps(list(AuditEntry.objects.values()), default=str)

    def test_looking_at_a_case_is_recorded_by_its_reference(self, client: Client, manager: User) -> None:
        case = CaseFactory()
        client.force_login(manager)
        client.get(reverse("admin:tenants_surveycase_change", args=[case.pk]))
        client.get(reverse("tracking:case", args=[case.reference]))

        (admin,) = written("access.admin:tenants_surveycase_change")
        (tracking,) = written("access.tracking:case")
        assert (admin.user, admin.object_id, admin.case_reference) == (manager, str(case.pk), case.reference)
        assert tracking.case_reference == case.reference

    def test_an_export_is_recorded(self, client: Client, manager: User) -> None:
        campaign = CaseFactory().campaign
        client.force_login(manager)
        client.get(reverse("tracking:export", args=[campaign.pk]))
        assert [entry.object_id for entry in written("access.tracking:export")] == [str(campaign.pk)]

    def test_a_rival_landlord_is_recorded_as_refused(self, client: Client) -> None:
        case = CaseFactory()
        rival = UserFactory(of_landlord=True, landlord=LandlordFactory())
        client.force_login(rival)
        client.get(reverse("tracking:case", args=[case.reference]))
        (entry,) = written("refused.tracking:case")
        assert (entry.user, entry.landlord, entry.case_reference) == (rival, rival.landlord, case.reference)

    def test_a_change_by_a_form_tells_the_fields_never_the_values(self, client: Client, manager: User) -> None:
        landlord = LandlordFactory()
        client.force_login(manager)
        url = reverse("admin:campaigns_landlord_change", args=[landlord.pk])
        form = client.get(url).context["adminform"].form
        values = {name: form.initial.get(name) or "" for name in form.fields if name != "logo"}
        answer = client.post(url, {**values, "hotline": "02 99 99 99 99", "prepaid_reply": "on"})
        assert answer.status_code == 302, answer.context["errors"]
        (entry,) = written("admin.changed")
        assert (entry.user, entry.object_kind, entry.object_id) == (manager, "landlord", str(landlord.pk))
        assert len(entry.data["fields"]) == 1
        assert "99 99" not in str(entry.data)

    def test_a_message_of_the_log_that_is_no_list_tells_no_field(self, manager: User) -> None:
        LogEntry.objects.create(user=manager, object_id="1", action_flag=CHANGE, change_message="Mot de passe retiré.")
        assert written("admin.changed")[0].data == {"fields": []}

    def test_pages_that_show_nobodys_data_leave_none(self, client: Client, manager: User) -> None:
        client.force_login(manager)
        before = AuditEntry.objects.count()
        for name in ("admin:index", "health", "tracking:home"):
            client.get(reverse(name))
        assert AuditEntry.objects.count() == before

    def test_a_visitor_who_signs_in_nowhere_leaves_none(self, client: Client) -> None:
        client.get(reverse("portal:entrance"))
        client.get(reverse("admin:index"))
        assert not AuditEntry.objects.exists()

    def test_a_wrong_code_at_the_portal_is_recorded_without_what_was_typed(self, client: Client) -> None:
        case = CaseFactory(sent=True, campaign__stage=Campaign.Stage.FIELD)
        client.post(reverse("portal:entrance"), {"reference": case.reference, "code": "AAAA-BBBB-CCCC"})
        (entry,) = written("signin.household_refused")
        assert (entry.who, entry.case_reference) == ("visitor", "")
        assert "AAAA" not in str(entry.data)


# ── Append-only ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_no_code_of_ours_changes_or_drops_an_entry_or_a_link(now: dt.datetime) -> None:
    chain(1, now)
    entry, link = AuditEntry.objects.get(), AuditLink.objects.get()
    for attempt in (
        entry.save,
        entry.delete,
        link.delete,
        AuditEntry.objects.all().delete,
        AuditLink.objects.all().delete,
        lambda: AuditEntry.objects.update(action="autre"),
        lambda: AuditLink.objects.update(digest="0" * 64),
    ):
        with pytest.raises(AppendOnly, match="ne se modifie pas"):
            attempt()


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE campaigns_auditentry SET action = 'autre'",
        "UPDATE campaigns_auditentry SET pending = TRUE",
        "DELETE FROM campaigns_auditentry",
        "UPDATE campaigns_auditlink SET digest = content",
        "DELETE FROM campaigns_auditlink",
    ],
)
def test_postgresql_itself_refuses(now: dt.datetime, sql: str, role: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the triggers are PostgreSQL's")
    chain(2, now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL session_replication_role = {role}")
        with pytest.raises(DatabaseError, match="ne se modifie pas"), transaction.atomic():
            cursor.execute(sql)


# ── The chain ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
class TestChain:
    def test_it_holds_and_tells_its_head(self, now: dt.datetime) -> None:
        chain(5, now)
        chain(3, now)
        found = audit.verify(today=TODAY)
        assert (found.broken, found.links, found.entries, found.head, found.pending) == (None, 8, 8, 8, 0)
        assert audit.seal() == 0

    @pytest.mark.parametrize(
        "column", ["action", "case_reference", "object_id", "address", "name", "who", "object_kind", "agent"]
    )
    def test_a_changed_entry_is_found_at_its_link(self, now: dt.datetime, column: str) -> None:
        chain(5, now)
        third = AuditEntry.objects.order_by("pk")[2]
        meddle(f"UPDATE campaigns_auditentry SET {column} = 'X' WHERE id = %s", third.pk)  # noqa: S608
        found = audit.verify(today=TODAY)
        assert (found.broken, found.reason) == (3, f"L'entrée {third.pk} a été modifiée.")

    def test_a_dropped_entry_is_found(self, now: dt.datetime) -> None:
        chain(3, now)
        second = AuditEntry.objects.order_by("pk")[1]
        meddle("DELETE FROM campaigns_auditentry WHERE id = %s", second.pk)
        found = audit.verify(today=TODAY)
        assert found.broken == 2
        assert "avant son terme" in found.reason

    def test_a_dropped_link_is_found(self, now: dt.datetime) -> None:
        chain(3, now)
        meddle("DELETE FROM campaigns_auditlink WHERE number = 2")
        assert audit.verify(today=TODAY).broken == 3

    def test_a_changed_link_is_found(self, now: dt.datetime) -> None:
        chain(3, now)
        meddle("UPDATE campaigns_auditlink SET kept_until = '2026-01-01' WHERE number = 2")
        assert audit.verify(today=TODAY).broken == 2

    def test_an_entry_slipped_in_is_found(self, now: dt.datetime) -> None:
        chain(2, now)
        stray = audit.record(action="access.essai", at=now)
        meddle("UPDATE campaigns_auditentry SET pending = %s WHERE id = %s", False, stray.pk)
        found = audit.verify(today=TODAY)
        assert (found.broken, found.reason) == (0, f"L'entrée {stray.pk} n'est dans aucun maillon.")

    def test_a_chain_drawn_up_anew_holds_but_not_against_its_anchor(self, now: dt.datetime) -> None:
        chain(3, now)
        noted = audit.verify(today=TODAY)
        meddle("DELETE FROM campaigns_auditlink")
        meddle("UPDATE campaigns_auditentry SET pending = %s, object_id = 'X'", True)
        audit.seal()
        assert audit.verify(today=TODAY).broken is None
        assert audit.verify(today=TODAY, anchor=(noted.head, noted.digest)).broken == 3

    def test_a_shortened_chain_does_not_hold_against_its_anchor(self, now: dt.datetime) -> None:
        chain(3, now)
        noted = audit.verify(today=TODAY)
        meddle("DELETE FROM campaigns_auditlink WHERE number = 3")
        meddle("DELETE FROM campaigns_auditentry WHERE id = (SELECT max(id) FROM campaigns_auditentry)")
        assert audit.verify(today=TODAY).broken is None
        assert audit.verify(today=TODAY, anchor=(noted.head, noted.digest)).broken == 3

    def test_an_entry_is_dropped_after_its_time_and_the_chain_still_holds(self, now: dt.datetime) -> None:
        chain(2, now)
        audit.record(action="case.send", at=now)
        audit.seal()
        later = AuditEntry.objects.first().recorded_at.date() + dt.timedelta(days=400)  # type: ignore[union-attr]
        assert audit.forget(today=later - dt.timedelta(days=100)) == 0
        if connection.vendor != "postgresql":  # whose own clock guards the rows
            assert audit.forget(today=later) == 2
            found = audit.verify(today=later)
            assert (found.broken, found.entries, found.forgotten) == (None, 1, 2)
            assert audit.verify(today=TODAY).broken == 1

    def test_retention_is_data_and_the_longest_prefix_wins(self) -> None:
        assert audit.days_kept("access.tracking:case") == 365
        assert audit.days_kept("case.send") == audit.days_kept("anything") > 365 * 4


@given(st.lists(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64), min_size=1, max_size=8), st.data())
def test_a_link_covers_everything_before_it(contents: list[str], data: st.DataObject) -> None:
    def head(chained: list[str]) -> str:
        digest = audit.GENESIS
        for number, content in enumerate(chained, 1):
            digest = audit.link_digest(
                number=number, previous=digest, entry_id=number, content=content, kept_until=TODAY
            )
        return digest

    index = data.draw(st.integers(0, len(contents) - 1))
    changed = [*contents]
    changed[index] = data.draw(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64))
    assert (head(changed) == head(contents)) == (changed == contents)


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_sealers_at_once_make_one_chain(now: dt.datetime) -> None:
    """Each writer holds its own transaction open while others write and seal: nobody waits for anybody's chain."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    errors: list[BaseException] = []

    def work(index: int) -> None:
        try:
            for step in range(20):
                with transaction.atomic():
                    audit.record(action="access.essai", at=now, kind="case", pk=f"{index}-{step}")
                    audit.record(action="access.essai", at=now, kind="case", pk=f"{index}-{step}-bis")
                audit.seal()
        except BaseException as error:  # told by the test
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with all_landlords():
        audit.seal()
        found = audit.verify(today=TODAY)

    assert errors == []
    assert (found.broken, found.links, found.pending) == (None, 320, 0)


# ── The command and the page ─────────────────────────────────────────────────────────────────────────────────────────


def verified(*options: str) -> tuple[int, dict[str, Any]]:
    """Exit status and answer of the command."""
    out = io.StringIO()
    try:
        call_command("verify_audit", "--json", *options, stdout=out)
    except SystemExit as status:
        return int(status.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.mark.django_db
class TestCommand:
    def test_it_covers_what_waits_then_tells_that_all_holds(self, now: dt.datetime) -> None:
        CaseFactory().tell("constat", now=now)
        status, told = verified()
        assert status == 0
        assert (told["broken"], told["pending"], told["changed_event"]) == (None, 0, None)
        assert verified("--anchor", f"{told['head']}:{told['digest']}")[0] == 0

    def test_it_tells_the_first_broken_link(self, now: dt.datetime, capsys: pytest.CaptureFixture[str]) -> None:
        chain(4, now)
        meddle("UPDATE campaigns_auditentry SET address = 'X' WHERE id = (SELECT max(id) FROM campaigns_auditentry)")
        status, told = verified()
        assert (status, told["broken"]) == (1, 4)
        with pytest.raises(SystemExit):
            call_command("verify_audit")
        assert "ROMPUE au maillon 4" in capsys.readouterr().out

    def test_it_finds_an_event_of_a_case_that_was_changed(self, now: dt.datetime) -> None:
        event = CaseFactory().tell("constat", now=now)
        meddle("UPDATE tenants_caseevent SET kind = 'autre' WHERE id = %s", event.pk)
        status, told = verified()
        assert (status, told["broken"], told["changed_event"]) == (1, None, event.pk)

    def test_an_erased_case_breaks_nothing(self, now: dt.datetime) -> None:
        case = CaseFactory()
        case.tell("constat", now=now)
        SurveyCase.objects.filter(pk=case.pk).delete()
        assert verified()[0] == 0


@pytest.mark.django_db
class TestPage:
    def test_the_journal_is_searched_by_case_user_and_day(
        self, client: Client, manager: User, now: dt.datetime
    ) -> None:
        case, other = CaseFactory(), CaseFactory()
        for each in (case, other):
            each.tell("constat", now=now, actor=manager)
        client.force_login(manager)
        url = reverse("admin:campaigns_auditentry_changelist")
        for query in (f"?q={case.reference}", f"?q={case.reference}&user__id__exact={manager.pk}&at__year=2026"):
            page = client.get(url + query)
            assert [entry.case_reference for entry in page.context["cl"].queryset] == [case.reference]
        detail = client.get(reverse("admin:campaigns_auditentry_change", args=[written("case.constat")[0].pk]))
        assert "n° " in detail.content.decode()

    def test_nobody_changes_it_there(self, client: Client, manager: User, now: dt.datetime) -> None:
        entry = audit.record(action="access.essai", at=now)
        client.force_login(manager)
        url = reverse("admin:campaigns_auditentry_change", args=[entry.pk])
        assert client.post(url, {"action": "autre"}).status_code == 403
        assert client.get(reverse("admin:campaigns_auditentry_add")).status_code == 403
