"""Whatever a program or a model says can be stored and sent."""

import json

from hypothesis import given
from hypothesis import strategies as st

from diono.kernel.events import EventDraft, EventType, storable

# Text as Python can hold it, half surrogate pairs included.
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(anything)
def test_any_value_becomes_valid_json_in_valid_text(value: object) -> None:
    text = json.dumps(storable(value), ensure_ascii=False, allow_nan=False)
    assert "\x00" not in text.encode().decode()
    assert storable(storable(value)) == storable(value)


def test_half_a_surrogate_pair_and_nul_are_replaced() -> None:
    draft = EventDraft(event_type=EventType.LOG, payload={"text": "a\x00\ud800b", "n": [1e999]})
    assert draft.payload == {"text": "a\ufffd?b", "n": [None]}
