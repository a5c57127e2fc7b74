"""The commissaire de justice's door: two secrets, one campaign, a date, a key to shut it; and what is seen inside."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile

import pytest
from django.urls import reverse

from campaigns import audit
from campaigns.models import AuditEntry
from campaigns.scope import all_landlords
from tenants.case_states import Move
from tenants.constat.access import DoorShut, UnableToOpenAccess, enter, issue, revoke
from tenants.constat.sealing import seal
from tenants.dispatch import compose_forms, hand_over
from tenants.models import BailiffAccess, BailiffVisit, Message
from tests.factories.campaigns import CampaignFactory, UserFactory
from tests.factories.tenants import CaseFactory, MessageFactory
from tests.tenants.printing import households

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _room(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def silent(campaign, now):
    case = CaseFactory(campaign=campaign, state="sent", sent_at=now)
    MessageFactory(case=case, state=Message.State.SENT, sent_at=now, provider_id="<m1@exemple>")
    return case


def opened(campaign, now, **more):
    told = {"name": "Maître Aubépine", "office": "SCP Aubépine et Houx", "days": 30, **more}
    return issue(campaign=campaign, now=now, **told)


def token_of(issued):
    return issued.link.rpartition("/")[2]


def walked_in(client, time_machine, campaign, now):
    time_machine.move_to(now, tick=False)
    issued = opened(campaign, now)
    response = client.post(reverse("bailiff:entrance", args=[token_of(issued)]), {"code": issued.code})
    assert response.status_code == 302, response.content.decode()
    return issued.access


class TestTheDoor:
    def test_the_link_and_the_code_together_open_it(self, campaign, now):
        issued = opened(campaign, now)
        access = enter(token=token_of(issued), code=issued.code.lower().replace("-", " "), now=now)
        assert (access.pk, access.last_seen_at) == (issued.access.pk, now)
        assert access.visits.get().act == BailiffVisit.Act.ENTERED

    def test_each_look_is_chained_in_the_audit(self, client, time_machine, campaign, now):
        access = walked_in(client, time_machine, campaign, now)
        client.get(reverse("bailiff:home"))
        told = AuditEntry.objects.filter(object_kind="bailiffaccess").order_by("pk")
        assert [each.action for each in told] == ["access.bailiff_entered", "access.bailiff_list"]
        assert {(each.object_id, each.landlord_id, each.address) for each in told} == {
            (str(access.pk), campaign.landlord_id, "127.0.0.1")
        }
        assert audit.seal() >= 2
        assert audit.verify(today=now.date()).broken is None

    def test_neither_secret_stands_in_the_database(self, campaign, now):
        issued = opened(campaign, now)
        stored = str(BailiffAccess.objects.filter(pk=issued.access.pk).values().get())
        assert token_of(issued) not in stored
        assert issued.code.replace("-", "") not in stored

    def test_a_wrong_code_is_refused_and_five_shut_the_door_for_a_while(self, campaign, now):
        issued = opened(campaign, now)
        for _ in range(5):
            with pytest.raises(DoorShut, match="pas le bon"):
                enter(token=token_of(issued), code="ABCD-2345-EFGH", now=now)
        with pytest.raises(DoorShut, match="attendez 15 minutes"):
            enter(token=token_of(issued), code=issued.code, now=now)
        assert enter(token=token_of(issued), code=issued.code, now=now + dt.timedelta(minutes=16))

    def test_another_link_opens_nothing(self, campaign, now):
        issued, other = opened(campaign, now), opened(campaign, now)
        with pytest.raises(DoorShut, match="pas le bon"):
            enter(token=token_of(other), code=issued.code, now=now)
        with pytest.raises(DoorShut, match="n'ouvre rien"):
            enter(token="x" * 43, code=issued.code, now=now)

    def test_it_shuts_at_its_date_and_when_it_is_revoked(self, campaign, now, manager):
        issued = opened(campaign, now, days=7)
        with pytest.raises(DoorShut, match="plus valable"):
            enter(token=token_of(issued), code=issued.code, now=now + dt.timedelta(days=7))
        assert revoke(access=issued.access, now=now, actor=manager)
        assert not revoke(access=issued.access, now=now, actor=manager)
        with pytest.raises(DoorShut, match="fermé"):
            enter(token=token_of(issued), code=issued.code, now=now)

    @pytest.mark.parametrize(
        ("told", "refusal"),
        [({"name": " "}, "nom"), ({"office": ""}, "étude"), ({"days": 0}, "1 à 90"), ({"days": 91}, "1 à 90")],
    )
    def test_it_is_not_opened_to_nobody_nor_for_ever(self, campaign, now, told, refusal):
        with pytest.raises(UnableToOpenAccess, match=refusal):
            opened(campaign, now, **told)

    def test_only_a_case_manager_opens_it(self, campaign, now):
        with pytest.raises(UnableToOpenAccess, match="chargé d'affaires"):
            opened(campaign, now, actor=UserFactory(calling=True))


@pytest.mark.scoped
class TestInside:
    """The views enter their own scope: nothing else helps them."""

    def test_the_list_shows_the_silent_and_only_them(self, client, time_machine, campaign, silent, now):
        with all_landlords():
            answered = CaseFactory(campaign=campaign, state="received", received_at=now)
            walked_in(client, time_machine, campaign, now)
        page = client.get(reverse("bailiff:home")).content.decode()
        assert silent.reference in page
        assert answered.reference not in page

    def test_a_case_shows_each_mailing_with_its_proof(self, client, time_machine, campaign, silent, now):
        with all_landlords():
            access = walked_in(client, time_machine, campaign, now)
        page = client.get(reverse("bailiff:case", args=[silent.reference])).content.decode()
        assert "Relance par e-mail ou SMS, par e-mail" in page
        assert "&lt;m1@exemple&gt;" in page
        with all_landlords():
            assert access.visits.filter(act="case").get().subject == silent.reference

    def test_a_case_of_a_rival_of_another_campaign_or_that_answered_does_not_exist(
        self, client, time_machine, campaign, silent, rivals, now
    ):
        with all_landlords():
            others = [
                CaseFactory(campaign__landlord=rivals[0], state="sent", sent_at=now),
                CaseFactory(campaign=CampaignFactory(landlord=campaign.landlord, year=2026), state="sent", sent_at=now),
                CaseFactory(campaign=campaign, state="received", received_at=now),
            ]
            walked_in(client, time_machine, campaign, now)
        for case in others:
            assert client.get(reverse("bailiff:case", args=[case.reference])).status_code == 404

    def test_whoever_answers_leaves_the_list_at_once(self, client, time_machine, campaign, silent, now):
        with all_landlords():
            walked_in(client, time_machine, campaign, now)
            silent.move(Move.RECEIVE, now=now)
        assert client.get(reverse("bailiff:case", args=[silent.reference])).status_code == 404
        assert "Tous les ménages ont répondu" in client.get(reverse("bailiff:home")).content.decode()

    def test_the_list_and_the_package_are_taken_away(self, client, time_machine, campaign, silent, now):
        with all_landlords():
            access = walked_in(client, time_machine, campaign, now)
            package = seal(campaign=campaign, now=now)
        lines = list(
            csv.DictReader(
                io.StringIO(client.get(reverse("bailiff:export")).content.decode("utf-8-sig")), delimiter=";"
            )
        )
        taken = b"".join(client.get(reverse("bailiff:package", args=[1])).streaming_content)
        assert [line["DOSSIER"] for line in lines] == [silent.reference]
        assert zipfile.ZipFile(io.BytesIO(taken)).testzip() is None
        assert len(taken) == package.size
        assert client.get(reverse("bailiff:package", args=[2])).status_code == 404
        with all_landlords():
            assert list(access.visits.order_by("pk").values_list("act", flat=True)) == ["entered", "export", "package"]
        assert silent.reference in client.get(reverse("bailiff:home")).content.decode()

    def test_a_search_finds_or_says_that_nobody_is_found(self, client, time_machine, campaign, silent, now):
        with all_landlords():
            walked_in(client, time_machine, campaign, now)
        assert silent.reference in client.get(reverse("bailiff:home"), {"q": silent.reference.lower()}).content.decode()
        assert "Aucun ménage ne correspond" in client.get(reverse("bailiff:home"), {"q": "zzz"}).content.decode()

    def test_an_access_revoked_or_idle_throws_out_whoever_is_inside(self, client, time_machine, campaign, silent, now):
        with all_landlords():
            access = walked_in(client, time_machine, campaign, now)
        time_machine.move_to(now + dt.timedelta(minutes=31), tick=False)
        assert client.get(reverse("bailiff:home")).status_code == 302
        with all_landlords():
            access = walked_in(client, time_machine, campaign, now)
            revoke(access=access, now=now)
        answer = client.get(reverse("bailiff:home"), follow=True)
        assert "plus ouvert" in answer.content.decode()

    def test_nobody_enters_without_the_code(self, client, time_machine, campaign, silent, now):
        with all_landlords():
            issued = opened(campaign, now)
        time_machine.move_to(now, tick=False)
        page = client.post(reverse("bailiff:entrance", args=[token_of(issued)]), {"code": "ABCD-2345-EFGH"})
        assert page.status_code == 403
        assert "pas le bon" in page.content.decode()
        for name, arguments in (("home", []), ("case", [silent.reference]), ("export", []), ("package", [1])):
            assert client.get(reverse(f"bailiff:{name}", args=arguments)).status_code == 302

    def test_leaving_shuts_the_door(self, client, time_machine, campaign, silent, now):
        with all_landlords():
            walked_in(client, time_machine, campaign, now)
        client.post(reverse("bailiff:leave"))
        assert client.get(reverse("bailiff:home")).status_code == 302


class TestAPrintedLetter:
    @pytest.fixture
    def posted(self, approved, printing_room, now):
        (case,) = households(approved, 1)
        for batch in compose_forms(campaign=approved, now=now):
            hand_over(batch=batch, now=now)
        case.refresh_from_db()
        return case.messages.get()

    def test_it_is_shown_without_the_codes_that_open_the_portal(self, client, time_machine, approved, posted, now):
        import cv2
        import numpy as np
        import zxingcpp

        walked_in(client, time_machine, approved, now)
        seen = []
        for number in range(1, posted.pages + 1):
            page = client.get(reverse("bailiff:letter", args=[posted.case.reference, posted.pk, number]))
            assert page["Content-Type"] == "image/png"
            image = cv2.imdecode(np.frombuffer(page.content, np.uint8), cv2.IMREAD_GRAYSCALE)
            seen += [found.text for found in zxingcpp.read_barcodes(image)]
        assert any(text.startswith("F1-") for text in seen)
        assert not any("/a/" in text for text in seen)

    def test_the_printed_access_code_is_covered(self, posted):
        import pypdfium2

        from tenants.constat.letters import CODE, _printed_codes

        with posted.batch.document.open("rb") as stored:
            pdf = pypdfium2.PdfDocument(stored.read())
        page = pdf[posted.first_page - 1]
        assert CODE.search(page.get_textpage().get_text_range())
        assert len(list(_printed_codes(page, 1286))) == 1

    def test_a_page_that_does_not_exist_or_a_batch_that_was_changed_is_not_shown(
        self, client, time_machine, approved, posted, now
    ):
        walked_in(client, time_machine, approved, now)
        address = reverse("bailiff:letter", args=[posted.case.reference, posted.pk, 99])
        assert client.get(address).status_code == 404
        with posted.batch.document.storage.open(posted.batch.document.name, "ab") as stored:
            stored.write(b"%")
        address = reverse("bailiff:letter", args=[posted.case.reference, posted.pk, 1])
        assert client.get(address).status_code == 404


class TestThePageOfProofs:
    @pytest.fixture
    def desk(self, client, manager):
        client.force_login(manager)
        return client

    def test_it_opens_an_access_and_shows_its_secrets_once(self, desk, campaign, silent):
        address = reverse("admin:proofs", args=[campaign.pk])
        shown = desk.post(address, {"name": "Maître Houx", "office": "SCP Houx", "days": "15"}).content.decode()
        assert "/constat/a/" in shown
        assert "/constat/a/" not in desk.get(address).content.decode()

    def test_a_refusal_is_said_and_what_was_typed_stays(self, desk, campaign):
        shown = desk.post(
            reverse("admin:proofs", args=[campaign.pk]), {"name": "Maître Houx", "office": "", "days": "15"}
        )
        assert "celui de son étude" in shown.content.decode()
        assert "Maître Houx" in shown.content.decode()

    def test_it_seals_and_gives_the_file(self, desk, campaign, silent):
        page = desk.post(reverse("admin:proofs_seal", args=[campaign.pk]), follow=True).content.decode()
        assert "sans horodatage : 1 dossiers" in page
        package = campaign.constats.get()
        assert b"".join(desk.get(reverse("admin:proofs_file", args=[package.pk])).streaming_content)[:2] == b"PK"

    def test_it_shuts_an_access(self, desk, campaign, now):
        access = opened(campaign, now).access
        desk.post(reverse("admin:proofs_shut", args=[access.pk]))
        access.refresh_from_db()
        assert access.revoked_at is not None

    def test_operators_do_not_enter(self, client, campaign):
        client.force_login(UserFactory(keying=True))
        assert client.get(reverse("admin:proofs", args=[campaign.pk])).status_code in {302, 403}
