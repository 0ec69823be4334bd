"""Gates: the authors' notation, its faults, and what an open gate means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazonia.domain.errors import GateSyntaxError
from amazonia.domain.gates import OPEN, parse

NAMES = "abcdef"
Tree = str | tuple[str, "Tree", "Tree"]

trees = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.tuples(st.sampled_from("+/"), inner, inner),
    max_leaves=10,
)
achieved = st.frozensets(st.sampled_from(NAMES))


def written(tree: Tree) -> str:
    """The tree in the authors' notation."""
    if isinstance(tree, str):
        return tree
    return f"({written(tree[1])} {tree[0]} {written(tree[2])})"


def holds(tree: Tree, have: frozenset[str]) -> bool:
    """The tree evaluated as it stands."""
    if isinstance(tree, str):
        return tree in have
    left, right = holds(tree[1], have), holds(tree[2], have)
    return left and right if tree[0] == "+" else left or right


def ways(text: str) -> list[set[str]]:
    """The ways of a gate as plain sets."""
    return [set(way) for way in parse(text).ways]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", [{"a"}]),
        ("a + b", [{"a", "b"}]),
        ("a / b", [{"a"}, {"b"}]),
        ("a + b / c", [{"a", "b"}, {"c"}]),
        ("a / b + c", [{"a"}, {"b", "c"}]),
        ("a + (b / c)", [{"a", "b"}, {"a", "c"}]),
        ("(a / b) + (c / d)", [{"a", "c"}, {"a", "d"}, {"b", "c"}, {"b", "d"}]),
        ("((a))", [{"a"}]),
        ("a+b/c", [{"a", "b"}, {"c"}]),
        ("neia.primo", [{"neia.primo@1"}]),
        ("esmerina.pirarucu@2", [{"esmerina.pirarucu@2"}]),
        ("mostra:josue:oxigenio", [{"mostra:josue:oxigenio"}]),
        ("r_não + água", [{"r_não", "água"}]),
    ],
)
def test_notation(text: str, expected: list[set[str]]) -> None:
    """`+` binds tighter than `/`, parentheses group, a topic alone means its first step."""
    assert ways(text) == expected


@pytest.mark.parametrize("text", [None, "", "   "])
def test_no_gate_is_open(text: str | None) -> None:
    """Without a condition a gate is open for everybody."""
    assert parse(text) == OPEN
    assert parse(text).open(lambda _: False)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a +", "a name is missing"),
        ("+ a", "a name is missing"),
        ("a / / b", "a name is missing"),
        ("()", "a name is missing"),
        ("(a + b", "a closing parenthesis is missing"),
        ("a + b)", "')' was not expected here; join with + or /"),
        ("a b", "'b' was not expected here; join with + or /"),
        ("a & b", "'&' is not part of the notation"),
        ("!a", "'!' is not part of the notation"),
        ("not a", "'a' was not expected here; join with + or /"),
    ],
)
def test_a_fault_says_what_was_expected(text: str, fault: str) -> None:
    """A gate that cannot be read is refused with itself and with what is wrong in it."""
    with pytest.raises(GateSyntaxError) as caught:
        parse(text)
    assert caught.value.gate == text
    assert caught.value.fault == fault
    assert str(caught.value) == f"gate '{text}': {fault}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a / a", [{"a"}]),
        ("a / a + b", [{"a"}]),
        ("a + b / a", [{"a"}]),
        ("(a / b) + a", [{"a"}]),
        ("a + a", [{"a"}]),
        ("b / a", [{"b"}, {"a"}]),
    ],
)
def test_minimal(text: str, expected: list[set[str]]) -> None:
    """A way that contains another is dropped; the authors' order stays."""
    assert ways(text) == expected


def test_missing_names_the_nearest_way() -> None:
    """What is missing is the smallest remainder of any way, and nothing where the gate is open."""
    gate = parse("a + b + c / d + e")
    assert gate.missing({"a", "b"}.__contains__) == {"c"}
    assert gate.missing({"d"}.__contains__) == {"e"}
    assert gate.missing({"d", "e"}.__contains__) == set()


def test_atoms_and_renaming() -> None:
    """A gate knows every atom in it, and can have them all translated."""
    gate = parse("a + b / c")
    assert gate.atoms() == {"a", "b", "c"}
    assert gate.rename(str.upper) == parse("A + B / C")


@given(trees, achieved)
def test_open_agrees_with_the_expression(tree: Tree, have: frozenset[str]) -> None:
    """A gate is open exactly where its expression is true."""
    gate = parse(written(tree))
    assert gate.open(have.__contains__) == holds(tree, have)
    assert (not gate.missing(have.__contains__)) == holds(tree, have)


@given(trees, achieved, achieved)
def test_more_never_closes_a_gate(tree: Tree, have: frozenset[str], more: frozenset[str]) -> None:
    """What is open with some achievements is open with more."""
    gate = parse(written(tree))
    if gate.open(have.__contains__):
        assert gate.open((have | more).__contains__)


@given(trees)
def test_ways_are_minimal(tree: Tree) -> None:
    """No way of a gate contains another, and each opens the gate by itself."""
    gate = parse(written(tree))
    assert not any(one < other for one in gate.ways for other in gate.ways)
    assert len(set(gate.ways)) == len(gate.ways)
    assert all(holds(tree, way) for way in gate.ways)
