"""A sealed package proves who had not answered and what they were sent: offline, with our tools or without them."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zipfile

import pytest
from django.core.management import CommandError, call_command

from campaigns.scope import within
from tenants.case_states import Move
from tenants.constat import sealing
from tenants.constat.sealing import UnableToSeal, seal
from tenants.constat.timestamps import Authority, UnableToStamp, configured
from tenants.constat.verification import MANIFEST, STAMP, SUMS, verify
from tenants.models import ConstatPackage, Message, Purpose, SealedForEver
from tests.factories.campaigns import UserFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.printing import households
from tests.tenants.tsa import authority, found_authority

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    return found_authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(autouse=True)
def _media(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def silent(campaign, now):
    case = CaseFactory(campaign=campaign)
    case.move(Move.SEND, now=now)
    Message.objects.create(
        case=case, channel=Message.Channel.EMAIL, purpose=Purpose.REMINDER_DIGITAL, wave="w", state=Message.State.SENT,
        recipient="foyer@exemple.example", subject="Votre enquête", body="Bonjour [lien personnel]", created_at=now,
        sent_at=now, provider_id="<m1@exemple>",
    )  # fmt: skip
    return case


def content_of(package):
    with package.content.open("rb") as stored:
        return stored.read()


def written(package, tmp_path, name="paquet.zip"):
    path = tmp_path / name
    path.write_bytes(content_of(package))
    return path


def rewritten(path, tmp_path, *, change=None, drop=(), add=None):
    """The same package with an item changed, dropped or added."""
    out = tmp_path / "altere.zip"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            if name not in drop:
                content = source.read(name)
                target.writestr(name, change(content) if change and name.startswith("dossiers/") else content)
        for name, content in (add or {}).items():
            target.writestr(name, content)
    return out


class TestWithAnAuthority:
    def test_the_package_is_stamped_and_holds(self, campaign, silent, now, tsa, tmp_path, manager):
        with authority(tsa) as stamper:
            package = seal(campaign=campaign, now=now, actor=manager, authority=stamper)
        verdict = verify(written(package, tmp_path), certificates=stamper.certificates)
        assert verdict.as_table() | {"facts": []} == {"holds": True, "problems": [], "warnings": [], "facts": []}
        assert package.stamped_at is not None
        assert package.authority == "Autorité d'essai"
        assert any("Horodaté" in fact for fact in verdict.facts)

    def test_sha256sum_and_openssl_agree_without_us(self, campaign, silent, now, tsa, tmp_path):
        with authority(tsa) as stamper:
            package = seal(campaign=campaign, now=now, authority=stamper)
        folder = tmp_path / "ouvert"
        with zipfile.ZipFile(io.BytesIO(content_of(package))) as stored:
            stored.extractall(folder)
        subprocess.run(["sha256sum", "--quiet", "-c", SUMS], cwd=folder, check=True, capture_output=True)
        line = ["openssl", "ts", "-verify", "-data", MANIFEST, "-in", STAMP, "-CAfile", "AUTORITE.pem"]
        done = subprocess.run(line, cwd=folder, check=True, capture_output=True)
        assert b"Verification: OK" in done.stdout + done.stderr

    def test_the_package_s_own_certificate_is_believed_with_a_warning(self, campaign, silent, now, tsa, tmp_path):
        with authority(tsa) as stamper:
            package = seal(campaign=campaign, now=now, authority=stamper)
        verdict = verify(written(package, tmp_path))
        assert verdict.holds
        assert "--ca" in verdict.warnings[0]

    def test_a_stamp_of_another_authority_does_not_hold(self, campaign, silent, now, tsa, tmp_path):
        with authority(tsa) as stamper:
            package = seal(campaign=campaign, now=now, authority=stamper)
        other = found_authority(tmp_path / "autre")
        verdict = verify(written(package, tmp_path), certificates=(other / "ca.pem").read_bytes())
        assert [problem[:27] for problem in verdict.problems] == ["L'horodatage ne vaut pas : "]

    def test_the_stamp_of_another_package_does_not_hold(self, campaign, silent, now, tsa, tmp_path):
        with authority(tsa) as stamper:
            first = written(seal(campaign=campaign, now=now, authority=stamper), tmp_path, "un.zip")
            second = written(seal(campaign=campaign, now=now, authority=stamper), tmp_path, "deux.zip")
        with zipfile.ZipFile(first) as stored:
            stolen = stored.read(STAMP)
        forged = rewritten(second, tmp_path, drop={STAMP}, add={STAMP: stolen})
        assert "autre contenu" in verify(forged, certificates=stamper.certificates).problems[0]

    def test_a_stamp_taken_out_is_noticed(self, campaign, silent, now, tsa, tmp_path):
        with authority(tsa) as stamper:
            path = written(seal(campaign=campaign, now=now, authority=stamper), tmp_path)
        assert "annonce un horodatage" in verify(rewritten(path, tmp_path, drop={STAMP})).problems[0]

    @pytest.mark.parametrize(
        ("answer", "content_type", "told"),
        [(b"bonjour", "text/html", "RFC 3161"), (b"bonjour", "application/timestamp-reply", "ne vaut rien")],
    )
    def test_an_authority_that_answers_nonsense_seals_nothing(
        self, campaign, silent, now, tsa, answer, content_type, told
    ):
        with (
            authority(tsa, answer=answer, content_type=content_type) as stamper,
            pytest.raises(UnableToStamp, match=told),
        ):
            seal(campaign=campaign, now=now, authority=stamper)
        assert not ConstatPackage.objects.exists()

    def test_an_old_answer_replayed_is_refused(self, campaign, silent, now, tsa):
        with authority(tsa) as stamper:
            seal(campaign=campaign, now=now, authority=stamper)
        old = (tsa / "reply.tsr").read_bytes()
        with authority(tsa, answer=old) as stamper, pytest.raises(UnableToStamp, match="autre"):
            seal(campaign=campaign, now=now, authority=stamper)

    def test_an_authority_that_does_not_answer_seals_nothing(self, campaign, silent, now, tsa):
        with authority(tsa) as stamper:
            pass
        with pytest.raises(UnableToStamp, match="ne répond pas"):
            seal(campaign=campaign, now=now, authority=stamper)
        assert not ConstatPackage.objects.exists()

    def test_an_address_that_is_no_web_address_is_refused(self, campaign, silent, now):
        with pytest.raises(UnableToStamp, match="https"):
            seal(campaign=campaign, now=now, authority=Authority("file:///etc/passwd", b""))

    def test_the_settings_name_the_authority(self, settings, tsa):
        assert configured() is None
        settings.TSA_URL, settings.TSA_CERTIFICATES = "https://horodatage.example/tsr", str(tsa / "ca.pem")
        assert configured() == Authority("https://horodatage.example/tsr", (tsa / "ca.pem").read_bytes())
        settings.TSA_CERTIFICATES = str(tsa / "absent.pem")
        with pytest.raises(UnableToStamp, match="TSA_CERTIFICATES"):
            configured()


class TestWithoutAuthority:
    def test_the_package_says_that_nothing_stamps_it(self, campaign, silent, now, tmp_path):
        package = seal(campaign=campaign, now=now)
        path = written(package, tmp_path)
        with zipfile.ZipFile(path) as stored:
            read_me, manifest = stored.read("LISEZ-MOI.txt").decode(), json.loads(stored.read(MANIFEST))
        assert package.stamped_at is None
        assert "n'est pas horodaté" in read_me
        assert manifest["horodatage"]["demande"] is False
        verdict = verify(path)
        assert verdict.holds
        assert verdict.warnings == ["Aucun horodatage : la date du paquet n'est attestée que par son auteur."]


class TestWhatItHolds:
    def test_each_silent_household_with_each_mailing_and_nobody_else(self, campaign, silent, now, tmp_path):
        answered = CaseFactory(campaign=campaign, state="received", received_at=now)
        package = seal(campaign=campaign, now=now)
        with zipfile.ZipFile(written(package, tmp_path)) as stored:
            names = set(stored.namelist())
            told = json.loads(stored.read(f"dossiers/{silent.reference}.json"))
        assert f"dossiers/{answered.reference}.json" not in names
        assert (package.cases, package.mailings) == (1, 1)
        assert told["envois"][0]["transporteur"] == "<m1@exemple>"
        assert told["envois"][0]["texte"] == "Bonjour [lien personnel]"

    def test_a_non_respondent_is_still_listed(self, campaign, silent, now):
        silent.move(Move.GIVE_UP, now=now)
        assert seal(campaign=campaign, now=now).cases == 1

    def test_the_history_of_each_case_names_the_package(self, campaign, silent, now):
        seal(campaign=campaign, now=now)
        assert silent.events.get(kind="constat_sealed").data == {"package": 1}

    def test_packages_are_numbered_and_never_change(self, campaign, silent, now):
        first, second = seal(campaign=campaign, now=now), seal(campaign=campaign, now=now)
        assert (first.number, second.number) == (1, 2)
        with pytest.raises(SealedForEver):
            first.save()
        with pytest.raises(SealedForEver):
            ConstatPackage.objects.update(cases=0)

    def test_an_answer_that_arrives_while_the_list_is_written_is_not_in_it(self, campaign, silent, now, monkeypatch):
        other = CaseFactory(campaign=campaign, state="sent", sent_at=now)
        write, calls = sealing.write_package, []

        def interrupted(*args, **more):
            told = write(*args, **more)
            if not calls:
                other.move(Move.RECEIVE, now=now)
            calls.append(told)
            return told

        monkeypatch.setattr(sealing, "write_package", interrupted)
        assert seal(campaign=campaign, now=now).cases == 1
        assert len(calls) == 2

    def test_nothing_is_sealed_when_everybody_answered(self, campaign, silent, now):
        silent.move(Move.RECEIVE, now=now)
        with pytest.raises(UnableToSeal, match="ont répondu"):
            seal(campaign=campaign, now=now)

    def test_only_a_case_manager_seals(self, campaign, silent, now):
        with pytest.raises(UnableToSeal, match="chargé d'affaires"):
            seal(campaign=campaign, now=now, actor=UserFactory(keying=True))

    @pytest.mark.scoped
    def test_a_rival_landlord_does_not_see_the_package(self, rivals, now):
        case = CaseFactory(campaign__landlord=rivals[0], state="sent", sent_at=now)
        with within(landlord=rivals[0]):
            seal(campaign=case.campaign, now=now)
            assert ConstatPackage.objects.count() == 1
        with within(landlord=rivals[1]):
            assert ConstatPackage.objects.count() == 0


class TestAChangedPackage:
    def test_a_changed_item_is_named(self, campaign, silent, now, tmp_path):
        path = written(seal(campaign=campaign, now=now), tmp_path)
        forged = rewritten(path, tmp_path, change=lambda content: content.replace(b"foyer@", b"voisin@"))
        assert f"« dossiers/{silent.reference}.json » a été modifié" in verify(forged).problems[0]

    def test_a_missing_item_and_an_added_one_are_named(self, campaign, silent, now, tmp_path):
        path = written(seal(campaign=campaign, now=now), tmp_path)
        forged = rewritten(path, tmp_path, drop={"liste/envois.csv"}, add={"liste/ajout.csv": b"x"})
        problems = " ".join(verify(forged).problems)
        assert "« liste/envois.csv » manque" in problems
        assert "« liste/ajout.csv » n'est pas au manifeste" in problems

    @pytest.mark.parametrize("content", [b"", b"pas un paquet", b"PK\x03\x04coupe"])
    def test_a_file_that_is_no_package_is_refused(self, tmp_path, content):
        path = tmp_path / "x.zip"
        path.write_bytes(content)
        assert "paquet lisible" in verify(path).problems[0]

    def test_a_cut_package_is_refused(self, campaign, silent, now, tmp_path):
        path = written(seal(campaign=campaign, now=now), tmp_path)
        path.write_bytes(path.read_bytes()[:-200])
        assert not verify(path).holds

    def test_an_archive_without_manifest_is_refused(self, tmp_path):
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a", "b")
        assert verify(path).problems == ["Le paquet n'a pas de MANIFESTE.json."]

    @pytest.mark.parametrize("manifest", [b"{", b"[]", b'{"format": 99, "fichiers": []}'])
    def test_a_manifest_of_another_kind_is_refused(self, tmp_path, manifest):
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(MANIFEST, manifest)
        assert "ne se lit pas" in verify(path).problems[0]


class TestTheCommand:
    def test_it_says_that_the_package_holds(self, campaign, silent, now, tmp_path, capsys):
        call_command("verify_package", str(written(seal(campaign=campaign, now=now), tmp_path)))
        assert "Ce paquet est intact." in capsys.readouterr().out

    def test_it_fails_on_a_changed_package(self, campaign, silent, now, tmp_path, capsys):
        path = written(seal(campaign=campaign, now=now), tmp_path)
        with pytest.raises(CommandError, match="modifié"):
            call_command("verify_package", str(rewritten(path, tmp_path, drop={"LISEZ-MOI.txt"})), "--json")
        assert json.loads(capsys.readouterr().out)["holds"] is False

    def test_certificates_that_do_not_read_are_said(self, tmp_path):
        with pytest.raises(CommandError, match="ne se lit pas"):
            call_command("verify_package", str(tmp_path / "x.zip"), "--ca", str(tmp_path / "absent.pem"))


def test_the_batches_that_left_are_in_the_package(approved, printing_room, now, tmp_path):
    from tenants.dispatch import compose_forms, hand_over

    households(approved, 1)
    for batch in compose_forms(campaign=approved, now=now):
        hand_over(batch=batch, now=now)
    package = seal(campaign=approved, now=now)
    with zipfile.ZipFile(written(package, tmp_path)) as stored:
        names = [name for name in stored.namelist() if name.startswith("lots/")]
        everything = b"".join(stored.read(name) for name in stored.namelist())
    assert names == ["lots/lot-0001-form.json", "lots/lot-0001-form.csv"]
    assert b"%PDF" not in everything


def test_the_tools_of_the_manual_are_at_hand():
    assert shutil.which("openssl")
    assert shutil.which("sha256sum")
