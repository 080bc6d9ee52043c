"""rules/<family>/*.toml: complete, named by the convention, and strict about what they may say."""

import re
from pathlib import Path

import pytest
from conftest import Golden

from vmfdlint.app import proven_docs
from vmfdlint.base.location import rules_directory
from vmfdlint.finding import Level, Page, RuleDoc
from vmfdlint.models import Kind
from vmfdlint.report import rule_markdown
from vmfdlint.rulebook import Rule, RuleError, load_rules

ROOT = Path(__file__).parent.parent
RULES = load_rules()
DOCS = proven_docs()
PAGES = ROOT / "docs" / "rules"

CATALOGUE = {
    "VMFD101": "fork-while-vm-live",
    "VMFD102": "mapping-kept-in-child",
    "VMFD104": "daemonize-after-create",
    "VMFD105": "worker-forked-while-vm-live",
    "VMFD106": "vm-ioctl-in-child",
    "VMFD107": "holder-leaves-cgroup",
    "VMFD201": "vm-fd-duplicated",
    "VMFD202": "vm-fd-sent",
    "VMFD203": "vm-fd-taken",
    "VMFD204": "vm-fd-registered",
    "VMFD205": "vm-pinned-by-vm",
    "VMFD206": "fd-table-unshared",
    "VMFD301": "kvm-opened-without-cloexec",
    "VMFD302": "cloexec-cleared",
    "VMFD303": "duplicate-inheritable",
    "VMFD304": "received-inheritable",
    "VMFD305": "exec-inherits-vm-fd",
    "VMFD306": "guest-memfd-inheritable",
    "VMFD401": "debugfs-file-pins-vm",
    "VMFD402": "debugfs-file-inheritable",
    "VMFD403": "debugfs-opened-to-others",
    "VMFD404": "debugfs-exposes-kvm",
    "VMFD405": "debugfs-unbalanced-kvm-reference",
    "VMFD501": "vm-fd-leaked",
    "VMFD502": "vm-closed-holder-remains",
    "VMFD503": "vm-fd-closed-twice",
    "VMFD504": "vm-fd-used-after-close",
    "VMFD505": "mapping-release-incomplete",
    "VMFD901": "unused-suppression",
    "VMFD902": "suppression-without-reason",
}
"""Every id that was ever given out, with its name: neither is given to another rule."""

FAMILIES = {"1": "fork", "2": "dup", "3": "cloexec", "4": "debugfs", "5": "release", "9": "lint"}
_WEIGHTY = ("struct kvm", "mm_struct", "memory slot", "memslot")

RULE = """id = "VMFD999"
name = "an-example"
family = "fork"
level = "error"
since = "0.1"
cwe = [403]

[match]
incident = "surviving child"
parent = ["lives"]

[[levels]]
level = "note"
when = { held = ["mapping"] }

[message]
text = "{api} with the {holders} open"

[doc]
summary = "An example."
why = "It pins."
fix = "Do not."
flags = "This."
spares = "That."
kernels = "All."
refs = []
"""


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "fork" / "VMFD999-an-example.toml"
    path.parent.mkdir()
    path.write_text(RULE)
    return path


def test_an_id_is_given_once(rule: Path) -> None:
    (rule.parent / "VMFD999-another.toml").write_text(RULE.replace("an-example", "another"))
    with pytest.raises(RuleError, match="VMFD999 is both an-example and another"):
        load_rules(rule.parent.parent)


def test_a_file_that_is_no_text(rule: Path) -> None:
    rule.write_bytes(b"id = \xff\xfe")
    with pytest.raises(RuleError, match="is not UTF-8 text"):
        load_rules(rule.parent.parent)


def test_the_example_loads(rule: Path) -> None:
    (loaded,) = load_rules(rule.parent.parent)
    assert loaded.doc.id == "VMFD999" and loaded.match == {"parent": ("lives",)}
    fits = {"parent": "lives", "held": "mapping"}
    assert loaded.accepts("surviving child", fits) and loaded.level(fits) is Level.NOTE
    assert loaded.level({"parent": "lives", "held": "descriptor"}) is Level.ERROR
    assert not loaded.accepts("lost", fits) and not loaded.accepts("surviving child", {"parent": "dies"})


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("[match]", "colour = 1\n\n[match]", 8, "unknown 'colour'"),
        ('parent = ["lives"]', 'parents = ["lives"]', 10, "did you mean 'parent'?"),
        ('parent = ["lives"]', 'parent = ["live"]', 10, "did you mean 'lives'?"),
        ('"surviving child"', '"surviving children"', 9, "did you mean 'surviving child'?"),
        ('held = ["mapping"]', 'hold = ["mapping"]', 14, "did you mean 'held'?"),
        ('held = ["mapping"]', 'held = ["map"]', 14, "did you mean 'mapping'?"),
        ("{holders} open", "{holder} open", 17, "did you mean 'holders'?"),
        ('fix = "Do not."', 'fixes = "Do not."', 22, "did you mean 'fix'?"),
        ('level = "note"', 'rank = "note"', 13, "unknown 'rank'"),
        ('level = "note"', 'level = "notice"', 13, "'notice'"),
        ('level = "error"', 'level = "fatal"', 4, "'fatal'"),
        ('parent = ["lives"]', 'parent = "lives"', 10, "a list"),
        ("cwe = [403]", 'cwe = ["403"]', 6, "int"),
        ("[match]", "[[match", 8, "not TOML"),
        ('incident = "surviving child"', "", 8, "incident is missing"),
        ('parent = ["lives"]', "parent = []", 10, "never match"),
        ("{holders} open", "{holders open", 17, "[message] text"),
        ("{api} with", "{} with", 1, "unknown ''"),
        ("refs = []", "refs = 7", 26, "array"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(rule: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in RULE
    rule.write_text(RULE.replace(old, new, 1))
    with pytest.raises(RuleError) as caught:
        load_rules(rule.parent.parent)
    assert str(caught.value).startswith(f"{rule}:{line}:"), str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("part", ["summary", "why", "fix", "flags", "spares", "kernels"])
def test_a_rule_explains_itself(rule: Path, part: str) -> None:
    rule.write_text("\n".join(row for row in RULE.splitlines() if not row.startswith(f"{part} =")))
    with pytest.raises(RuleError, match=f"{part} is missing"):
        load_rules(rule.parent.parent)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "an-example"', 'name = "another"', "expected fork/VMFD999-another.toml"),
        ('id = "VMFD999"', 'id = "VMFD998"', "expected fork/VMFD998-an-example.toml"),
        ('family = "fork"', 'family = "dup"', "expected dup/VMFD999-an-example.toml"),
        ('id = "VMFD999"\n', "", "id is missing"),
        ('text = "{api} with the {holders} open"', 'text = ""', "text is missing"),
    ],
)
def test_file_and_name_agree(rule: Path, old: str, new: str, words: str) -> None:
    rule.write_text(RULE.replace(old, new, 1))
    with pytest.raises(RuleError) as caught:
        load_rules(rule.parent.parent)
    assert words in str(caught.value) and str(rule) in str(caught.value)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.doc.id)
class TestShipped:
    """Each rule that comes with vmfdlint."""

    def test_is_in_the_catalogue(self, rule: Rule) -> None:
        doc = rule.doc
        assert CATALOGUE[doc.id] == doc.name and FAMILIES[doc.id[4]] == doc.family
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", doc.name)

    def test_has_a_fixture(self, rule: Rule) -> None:
        doc = rule.doc
        assert list((ROOT / "fixtures").rglob(f"{doc.id}-{doc.name}.md"))

    def test_documentation(self, rule: Rule) -> None:
        doc = rule.doc
        assert doc.cwe and doc.refs
        if doc.family == "lint":
            assert doc.summary.endswith(".") and len(doc.summary) <= 110 and "So what:" in doc.why
            return
        assert doc.summary.endswith(".") and "\n" not in doc.summary and len(doc.summary) <= 110
        assert "So what:" in doc.why and "stays pinned" in doc.why, (
            "why answers: so what, and what stays pinned"
        )
        assert any(word in doc.why for word in _WEIGHTY)
        page = doc.page
        assert isinstance(page, Page)
        for text in (page.flags, page.spares, page.kernels):
            assert text.endswith(".") and len(text) <= 420
        assert all(re.match(r"CVE-\d{4}-\d{4,} \(.+\): ", cve) for cve in page.cves)
        for ref in doc.refs:
            assert re.search(r"\.[ch]\b|\(\d\)|\.rst|CERT", ref), (
                f"names no source file and no manual page: {ref}"
            )

    def test_lines_are_short(self, rule: Rule) -> None:
        doc = rule.doc
        path = rules_directory() / doc.family / f"{doc.id}-{doc.name}.toml"
        assert all(len(line) <= 135 for line in path.read_text().splitlines())

    def test_message_reads_well(self, rule: Rule) -> None:
        text = rule.message
        if rule.doc.family == "lint":
            assert not text and not rule.incident and not rule.match
            return
        assert "{api}()" not in text and not text.endswith(".")
        filled = text.format(
            api="fork()", holders="VM descriptor", wait="waits in read()", reason="it is lost"
        )
        assert "  " not in filled and "()()" not in filled


def test_fixtures_belong_to_rules() -> None:
    stems = {f"{rule.doc.id}-{rule.doc.name}" for rule in RULES}
    assert {path.stem for path in (ROOT / "fixtures").rglob("VMFD*.md")} == stems


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.id)
def test_the_page_is_fresh(doc: RuleDoc, golden: Golden) -> None:
    """docs/rules is written by ``pytest --bless`` from the rule and its evidence."""
    golden(PAGES / f"{doc.id}-{doc.name}.md", rule_markdown(doc))


def test_the_list_of_pages_is_fresh(golden: Golden) -> None:
    rows = [
        f"| [{doc.id}]({doc.id}-{doc.name}.md) | {doc.name} | {doc.level} | {doc.summary} |" for doc in DOCS
    ]
    head = "# Rules\n\n| rule | name | level | flags |\n|---|---|---|---|\n"
    golden(PAGES / "README.md", head + "\n".join(rows) + "\n")
    names = {f"{doc.id}-{doc.name}.md" for doc in DOCS} | {"README.md"}
    assert {path.name for path in PAGES.iterdir()} == names


def test_ids_are_used_once() -> None:
    ids = [rule.doc.id for rule in RULES]
    assert len(ids) == len(set(ids)) and len(set(CATALOGUE.values())) == len(CATALOGUE)


def test_no_two_rules_take_one_incident() -> None:
    """What an incident may be, one rule at most takes: the order of the files decides nothing."""
    for one in RULES:
        for other in RULES:
            if one is other or one.incident != other.incident or not one.incident:
                continue
            shared = set(one.match) & set(other.match)
            assert any(not set(one.match[key]) & set(other.match[key]) for key in shared), (
                one.doc.id,
                other.doc.id,
            )


def test_kinds_of_rules_are_kinds() -> None:
    known = {kind.value for kind in Kind}
    assert all(set(rule.match.get("kind", ())) <= known for rule in RULES)
