"""A draft filled in and scanned, as people do to try it: nothing of it enters production."""

from __future__ import annotations

import numpy as np
import pypdfium2
import pytest

from campaigns import operations
from returns.models import Declaration, FieldReading, KeyingTask, Page, SurveyReturn
from tenants.case_states import State
from tenants.dispatch import compose_proof
from tenants.dispatch.proof import SPECIMEN
from tenants.models.cases import REFERENCE_SYMBOLS
from tests.factories.tenants import CaseFactory
from tests.returns.sheets import DPI, states, tick
from tests.tenants.printing import NOW, content

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("signed", [False, True], ids=["a draft", "a signed proof"])
def test_the_pages_of_a_proof_are_nobodys(campaign, manager, received, settings, tmp_path, monkeypatch, *, signed):
    monkeypatch.setattr(operations, "LARGEST_HOUSEHOLD", 1)
    settings.MEDIA_ROOT = tmp_path
    case = CaseFactory(campaign=campaign, household__occupants=1)
    revision = operations.draw_up_revision(campaign=campaign, now=NOW)
    proof = compose_proof(revision=revision, now=NOW)
    if signed:
        operations.approve_proof(proof=proof, actor=manager, now=NOW, comment="Accord par téléphone")
    document = pypdfium2.PdfDocument(content(proof.document))
    sheets = [np.array(document[page].render(scale=DPI / 72, grayscale=True).to_numpy()).squeeze() for page in (0, 1)]
    document.close()
    layout = next(each.layout for each in revision.layouts.all() if not each.large)
    tick(sheets, layout, "occupant.activity", 1, "retired")

    batch = received(sheets)

    assert states(batch) == [Page.State.FOREIGN, Page.State.FOREIGN]
    for model in (SurveyReturn, FieldReading, KeyingTask, Declaration):
        assert not model.objects.exists()
    case.refresh_from_db()
    assert case.state == State.PREPARED


def test_no_case_ever_bears_the_reference_of_a_proof():
    assert not set(SPECIMEN) <= set(REFERENCE_SYMBOLS)
