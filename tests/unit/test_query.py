"""The filter language: what it means, what it refuses, and that its laws hold for any text and any row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.errors import QueryError
from backends.ids import checkpoint_id_at
from backends.model import StatusName, Summary, ThreadHead, ThreadRow
from backends.query import Query, parse
from backends.query_pattern import Pattern
from backends.query_terms import FIELDS, META, NUMBERS, PLUMBING, Compare, Match

NOW = 1_790_000_000.0
_ANY = object()


def row(
    thread_id="loan-0042",
    status: StatusName | None = StatusName.WAITING,
    reason='"Approve 12 000 €?"',
    next_nodes=("review",),
    metadata=None,
    step: int | None = 4,
    source: str | None = "loop",
    age: float | None = 120.0,
    checkpoints: int | None = 6,
    interrupts=1,
    ensure_ascii=False,
) -> ThreadRow:
    head_id = "hand-written" if age is None else checkpoint_id_at(NOW - age) + "-8004-000000000000"
    raw = json.dumps({"source": source, "step": step, "parents": {}, **(metadata or {})}, ensure_ascii=ensure_ascii)
    head = ThreadHead(thread_id, "", head_id, head_id, raw.encode("utf-8", "replace"), step, source)
    summary = None if status is None else Summary(status, reason, next_nodes, interrupts, False)
    return ThreadRow(head, summary, checkpoints)


def fits(text: str, **facts) -> bool:
    return parse(text).matches(row(**facts), NOW)


# --- meaning -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "loan",
        "LOAN",
        "l*42",
        "approve",
        "WAITING",
        "review",
        "€",
        '"12 000"',
        "id:loan-0042",
        "id:LOAN-*",
        "thread:*42",
        "status:waiting",
        "status:Waiting",
        "status:wait*",
        "status:failed,waiting",
        "status:!done",
        "!status:done",
        "!status:!waiting",
        "!!loan",
        "node:review",
        "next:re*",
        "reason:approve",
        "why:12*000",
        "source:loop",
        "step:4",
        "step=4",
        "step:3,4",
        "step>3",
        "step>=4",
        "step<=4",
        "step<5",
        "step:!5",
        "checkpoints>5",
        "ckpts:6",
        "interrupts>0",
        "interrupts>=1",
        "age<5m",
        "age>1m",
        "age>119s",
        "age<1h30m",
        "age>0.01h",
        "status:waiting node:review age<1h loan",
        "tenant:t3",
        "TENANT:t3",
        "nothing:!t3",
    ],
)
def test_fits(text: str):
    facts = {"metadata": {"TENANT": "t3", "tenant": "T3"}}
    assert fits(text, **facts)


@pytest.mark.parametrize(
    "text",
    [
        "loam",
        "!loan",
        "id:loan",
        "id:0042",
        "status:done",
        "status:!waiting",
        "status:!waiting,done",
        "node:rev",
        "node:!review",
        "reason:refuse",
        "source:input",
        "step:3",
        "step>4",
        "step:!3,4",
        "checkpoints<6",
        "interrupts:0",
        "age>5m",
        "age<1m",
        "tenant:t3",
        "status:waiting node:other",
        "loop",
        "source",
        "parents",
    ],
)
def test_does_not_fit(text: str):
    assert not fits(text)


@pytest.mark.parametrize(
    ("text", "metadata"),
    [
        ("tenant:t3", {"tenant": "t3"}),
        ("tenant:T3", {"tenant": "t3"}),
        ("tenant:t*", {"tenant": "t3"}),
        ("tenant:*", {"tenant": {"id": 3}}),
        ("tenant=t3", {"tenant": "t3"}),
        ("tenant.id:3", {"tenant": {"id": 3}}),
        ("tenant.id:3", {"tenant.id": 3}),
        ("a.b.c:x", {"a": {"b": {"c": "x"}}}),
        ("a.b.c:x", {"a": {"b.c": "x"}}),
        ("user:7", {"user": 7}),
        ("user>6", {"user": 7}),
        ("cost<0.5", {"cost": 0.25}),
        ("vip:true", {"vip": True}),
        ("gone:null", {"gone": None}),
        ("tag:b", {"tag": ["a", "b"]}),
        ('name:"ä b"', {"name": "Ä B"}),
        ('name:"a*b"', {"name": "a*b"}),
        ("path:*/x", {"path": "/tmp/x"}),
        ("meta.status:new", {"status": "new"}),
        ("metadata.status:new", {"status": "new"}),
        ("meta.step:x", {"meta": 1, "step": "x"}),
        ("t3", {"deep": [{"er": "has t3 inside"}]}),
        ("größe", {"note": "GRÖSSE? Größe!"}),
        ("7", {"user": 1700}),
    ],
)
@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_metadata_fits(text: str, metadata: dict, ensure_ascii: bool):
    assert fits(text, metadata=metadata, ensure_ascii=ensure_ascii, thread_id="x", reason="")


@pytest.mark.parametrize(
    ("text", "metadata"),
    [
        ("tenant:t3", {"tenant": "t33"}),
        ("tenant:t3", {"other": "t3", "x": {"tenant": "t3"}}),
        ("tenant:t3", {"tenant": {"t3": 1}}),
        ('name:"a*b"', {"name": "axb"}),
        ("vip>0", {"vip": True}),
        ("user>6", {"user": "7"}),
        ("user>6", {}),
        ("tenant", {"tenant": "t3"}),
    ],
)
def test_metadata_does_not_fit(text: str, metadata: dict):
    assert not fits(text, metadata=metadata, thread_id="x", reason="")


def test_metadata_that_other_encoders_spell_otherwise():
    raw = rb'{"ten\u0061nt": "\u0074\/3", "note": "f\u006fo"}'
    spelled = ThreadRow(ThreadHead("x", "", "i", "i", raw, None, None))
    for text in ("tenant:t/3", "t/3", "foo", "note:f*"):
        assert parse(text).matches(spelled, NOW)


def test_the_ends_of_a_pattern_do_not_overlap():
    assert not fits("id:ab*ba", thread_id="aba")
    assert fits("id:ab*ba", thread_id="abba")


def test_metadata_that_is_no_json():
    broken = ThreadRow(ThreadHead("x", "", "i", "i", b'{"tenant": "t3"', None, None))
    for text in ("tenant:t3", "t3", "tenant>3"):
        assert not parse(text).matches(broken, NOW)


@pytest.mark.parametrize(
    "text", ["status:done", "status:!done", "node:x", "!node:x", "reason:x", "!reason:x", "interrupts<9"]
)
def test_what_is_not_analysed_yet_fits_neither_way(text: str):
    assert parse(text).needs_status
    assert not fits(text, status=None)


def test_what_is_not_counted_yet_fits_neither_way():
    assert parse("checkpoints>1").needs_counts
    assert not fits("checkpoints>1", checkpoints=None)
    assert not fits("!checkpoints>1", checkpoints=None)


def test_what_is_absent_for_good_is_just_not_so():
    assert not fits("age<1h", age=None)
    assert fits("!age<1h", age=None)
    assert not fits("step>0", step=None)
    assert not fits("source:loop", source=None)


def test_what_a_query_needs():
    assert parse("foo").needs_status
    assert parse("foo").needs_metadata
    assert parse("tenant:x").needs_metadata
    assert not parse("tenant:x").needs_status
    assert not parse("id:x").needs_metadata
    assert parse("age<1h").needs_now
    assert not parse("step:1").needs_now
    assert not parse("")


# --- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("status:", 7, "needs a value"),
        ("loan tenant:", 12, "needs a value"),
        ("tenant:a,", 9, "needs a value"),
        ("status:waitng", 7, "did you mean waiting?"),
        ("status:done,fialed", 12, "did you mean failed?"),
        ("status:xyzzy", 7, "there are running, waiting"),
        ("!", 0, "negate"),
        ("a !", 2, "negate"),
        ('""', 0, "nothing to look for"),
        ('"open', 0, "not closed"),
        ('id:"open', 3, "not closed"),
        ("step:many", 5, "not a number"),
        ("step>", 5, "needs a number"),
        ("step>1,2", 6, "one value"),
        ("age<", 4, "needs a time"),
        ("age<5", 4, "not a time"),
        ("age<5y", 4, "not a time"),
        ("age:1h", 0, "age<1h"),
        ("a<b", 2, "not a number"),
    ],
)
def test_refusal_says_why_and_where(text: str, position: int, says: str):
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert says in caught.value.reason
    assert caught.value.position == position


# --- laws --------------------------------------------------------------------------------------------------------

TEXT = st.text(max_size=12)
LIKELY = st.text(alphabet='abz0159 :=<>!,*"\\.-smhdw€\n\x00', max_size=30)
WORDS = st.sampled_from(["a", "ab", "b*", "*", "", "Z", "7", "true", "€", "é", "a b", '"', "\\", "ǅ", "İ"])
KEYS = st.from_regex(r"[^\W\d][\w.\-/@]{0,8}", fullmatch=True)
PATTERNS = st.lists(st.one_of(WORDS, TEXT), min_size=1, max_size=3).map(tuple).map(Pattern)
STATUS_PATTERNS = st.sampled_from([(status,) for status in StatusName] + [("", ""), ("wait", "")]).map(Pattern)
FINITE = st.floats(min_value=0, max_value=1e15, allow_nan=False) | st.integers(0, 10**9).map(float)


def _match(field: str) -> st.SearchStrategy:
    patterns = STATUS_PATTERNS if field == "status" else PATTERNS
    return st.builds(Match, st.just(field), st.lists(patterns, min_size=1, max_size=3).map(tuple), st.booleans())


WORD = st.builds(
    Match, st.just(""), PATTERNS.filter(lambda p: any(p.pieces) or len(p.pieces) > 1).map(lambda p: (p,)), st.booleans()
)
FIELD = st.sampled_from(sorted(set(FIELDS.values()) - NUMBERS)).flatmap(_match)
META_MATCH = KEYS.map(lambda key: META + key).flatmap(_match)
COMPARE = st.one_of(
    st.builds(
        Compare,
        st.sampled_from(["step", "checkpoints", "interrupts"]),
        st.just("="),
        st.lists(FINITE, min_size=1, max_size=3).map(tuple),
        st.booleans(),
    ),
    st.builds(
        Compare,
        st.one_of(st.sampled_from(sorted(NUMBERS)), KEYS.map(lambda key: META + key)),
        st.sampled_from(["<", "<=", ">", ">="]),
        FINITE.map(lambda number: (number,)),
        st.booleans(),
    ),
)
TERMS = st.one_of(WORD, FIELD, META_MATCH, COMPARE)
QUERIES = st.lists(TERMS, max_size=4).map(tuple).map(Query)

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 10), st.floats(allow_nan=False), WORDS, TEXT)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2))
METADATA = st.dictionaries(st.one_of(st.sampled_from(["a", "tenant", "status", "a.b"]), TEXT), VALUES, max_size=3)
ROWS = st.builds(
    row,
    thread_id=st.one_of(WORDS, TEXT),
    status=st.sampled_from(StatusName),
    reason=st.one_of(WORDS, TEXT),
    next_nodes=st.lists(WORDS, max_size=2).map(tuple),
    metadata=METADATA,
    step=st.none() | st.integers(-1, 5),
    source=st.sampled_from([None, "loop", "input"]),
    age=st.none() | st.integers(0, 10**6).map(float),
    checkpoints=st.integers(0, 5),
    interrupts=st.integers(0, 2),
    ensure_ascii=st.booleans(),
)


@given(st.one_of(TEXT, LIKELY))
def test_any_text_is_read_or_refused(text: str):
    try:
        query = parse(text)
    except QueryError as refusal:
        position, reason = refusal.position, refusal.reason
    else:
        position, reason = 0, "none"
        assert parse(query.describe()) == query
    assert 0 <= position <= len(text)
    assert reason


@given(QUERIES)
def test_any_query_can_be_written(query: Query):
    assert parse(query.describe()) == query


@given(TERMS, ROWS)
def test_not(term, one: ThreadRow):
    negated = parse("!" + str(term))
    assert negated.matches(one, NOW) is not Query((term,)).matches(one, NOW)


@given(QUERIES, QUERIES, ROWS)
def test_space_is_and(left: Query, right: Query, one: ThreadRow):
    both = parse(f"{left.describe()} {right.describe()}")
    assert both.matches(one, NOW) == (left.matches(one, NOW) and right.matches(one, NOW))


@given(FIELD | META_MATCH, ROWS)
def test_comma_is_or(term: Match, one: ThreadRow):
    each = [Match(term.field, (pattern,)).test(NOW)(one) for pattern in term.patterns]
    assert term.test(NOW)(one) is (any(each) is not term.negated)


@given(PATTERNS.filter(lambda p: any(p.pieces)), ROWS)
def test_words_are_found_wherever_they_stand(pattern: Pattern, one: ThreadRow):
    """Against a plain reading of the parsed metadata: the shortcuts over stored bytes must not show."""
    texts = [one.head.thread_id, one.summary.status, one.summary.reason, *one.summary.next]
    pending = [value for key, value in one.head.metadata.items() if key not in PLUMBING]
    while pending:
        value = pending.pop()
        if isinstance(value, dict | list):
            pending.extend(value.values() if isinstance(value, dict) else value)
        else:
            texts.append(_written(value))
    assert Match("", (pattern,)).test(NOW)(one) is any(_contains(pattern, text) for text in texts)


@given(st.sampled_from(["a", "tenant", "status", "a.b"]), PATTERNS, ROWS)
def test_metadata_is_compared_whole(key: str, pattern: Pattern, one: ThreadRow):
    metadata = one.head.metadata
    value = metadata.get(key, _ANY)
    if value is _ANY and key == "a.b" and isinstance(metadata.get("a"), dict):
        value = metadata["a"].get("b", _ANY)
    values = value if isinstance(value, list) else [value]
    everything = len(pattern.pieces) > 1 and not any(pattern.pieces)
    scalars = [v for v in values if v is not _ANY and not isinstance(v, dict | list)]
    expected = value is not _ANY and (everything or any(_equals(pattern, v) for v in scalars))
    assert Match(META + key, (pattern,)).test(NOW)(one) is expected


def _written(value) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value)


def _equals(pattern: Pattern, value) -> bool:
    return _glob([piece.lower() for piece in pattern.pieces], _written(value).lower())


def _contains(pattern: Pattern, text: str) -> bool:
    return _glob(["", *(piece.lower() for piece in pattern.pieces), ""], text.lower())


def _glob(pieces: list[str], text: str) -> bool:
    """The textbook definition: the first piece starts the text, and some rest fits the other pieces."""
    first, *rest = pieces
    if not text.startswith(first):
        return False
    text = text[len(first) :]
    if not rest:
        return not text
    return any(_glob(rest, text[start:]) for start in range(len(text) + 1))
