"""The index of references: a dictionary that holds a million numbers in little room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenants.landlord_file import references
from tenants.landlord_file.references import ReferenceIndex

kept = st.lists(st.dictionaries(st.text(max_size=2), st.integers(1, 2**60), max_size=8), max_size=40)


@given(kept, st.integers(1, 20))
def test_it_is_a_dictionary_where_the_last_number_stays(blocks, recent):
    index, known = ReferenceIndex(recent), {}
    for block in blocks:
        index.keep_all(block, list(block.values()))
        known |= block
        assert index.get_all(block) == list(block.values())
    assert {text: index.get(text) for text in known} == known
    assert index.get_all(known) == list(known.values())
    assert index.get("unknown") == 0
    assert index.get_all([]) == []


def test_runs_are_joined_up_to_a_size(monkeypatch):
    monkeypatch.setattr(references, "LARGEST", 64)
    index = ReferenceIndex(recent=8)
    texts = [f"R{number}" for number in range(1_000)]
    for number, text in enumerate(texts, start=1):
        index.keep(text, number)
    sizes = [len(run[0]) for run in index._runs]
    assert max(sizes) == 64
    assert len(sizes) < 20
    assert index.get_all(texts) == list(range(1, 1_001))
