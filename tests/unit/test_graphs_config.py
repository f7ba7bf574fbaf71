"""Projects and the names of graphs: `langgraph.json`, `.env` files, `file.py:variable`."""

import json

import pytest

from backends.errors import Refused
from backends.graphs.config import find, read_config
from backends.graphs.dotenv import parse_env
from backends.graphs.reference import location, parse_ref

ENV = r"""
# a comment
PLAIN=value
export EXPORTED = spaced out   # and a comment
HASH=a#b
EMPTY=
NAME_ALONE
SINGLE='kept $PLAIN ${PLAIN} \n # as it is'
DOUBLE="two\nlines \"quoted\" ${PLAIN}"
MULTI="first
second"
REFERS=${PLAIN}-${OUTSIDE}-${MISSING:-default}-${MISSING}
'QUOTED NAME'=yes
LATER=1
LATER=2
"""


@pytest.fixture
def project(tmp_path):
    """Write a configuration and return its path."""

    def write(config, **files):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        path = tmp_path / "langgraph.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        return path

    return write


def test_the_nearest_configuration_above_is_found(tmp_path, project):
    inner = tmp_path / "src" / "deep"
    inner.mkdir(parents=True)
    assert find(inner) is None or tmp_path not in find(inner).parents
    outer = project({"graphs": {}})
    assert find(inner) == find(tmp_path) == outer
    (inner / "langgraph.json").write_text("{}")
    assert find(inner) == inner / "langgraph.json"


def test_entries_are_texts_or_objects(project):
    path = project({"graphs": {"a": "./a.py:g", "b": {"path": "pkg.mod:make", "description": "x"}, "js": "./x.ts:g"}})
    refs = read_config(path, "/venv/bin/python")
    assert [(ref.name, ref.target, ref.root, ref.python) for ref in refs] == [
        ("a", "./a.py:g", str(path.parent), "/venv/bin/python"),
        ("b", "pkg.mod:make", str(path.parent), "/venv/bin/python"),
        ("js", "./x.ts:g", str(path.parent), "/venv/bin/python"),
    ]


def test_dependencies_are_the_directories_that_exist(project, tmp_path):
    for name in ("lib", "other"):
        (tmp_path / name).mkdir()
    path = project(
        {"graphs": {"a": "./a.py:g"}, "dependencies": [".", "./lib", "langchain-openai", "other", "./gone", "./lib"]}
    )
    assert read_config(path)[0].dependencies == tuple(map(str, (tmp_path, tmp_path / "lib", tmp_path / "other")))


def test_variables_from_a_mapping_or_a_file(project):
    graphs = {"graphs": {"a": "./a.py:g"}}
    assert read_config(project(graphs | {"env": {"A": "x", "N": 5}}))[0].env == {"A": "x", "N": "5"}
    assert read_config(project(graphs | {"env": ".env"}, **{".env": "A=1\n"}))[0].env == {"A": "1"}
    assert read_config(project(graphs))[0].env == {}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("{", "is not JSON: .* in line 1, column 2"),
        ("\ud800".encode("utf-8", "surrogatepass"), "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has to be a JSON object"),
        ({}, "names no graphs"),
        ({"graphs": []}, "names no graphs"),
        ({"graphs": {}}, "names no graphs"),
        ({"graphs": {"a": 5}}, "target of graph 'a'"),
        ({"graphs": {"a": "./a.py"}}, "target of graph 'a'"),
        ({"graphs": {"a": {"path": ":g"}}}, "target of graph 'a'"),
        ({"graphs": {"a": "./a.py:g"}, "dependencies": "."}, "dependencies"),
        ({"graphs": {"a": "./a.py:g"}, "env": ".missing"}, r"\.missing cannot be read: No such file"),
        ({"graphs": {"a": "./a.py:g"}, "env": {"A": []}}, "env"),
        ({"graphs": {"a": "./a.py:g"}, "env": 5}, "env"),
    ],
)
def test_what_is_no_configuration_is_refused_with_a_reason(project, config, said):
    if isinstance(config, bytes):
        path = project("")
        path.write_bytes(config)
    else:
        path = project(config)
    with pytest.raises(Refused, match=said):
        read_config(path)


def test_a_configuration_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(Refused, match="cannot be read"):
        read_config(tmp_path / "langgraph.json")


def test_variables_are_read_as_python_dotenv_reads_them():
    assert parse_env(ENV, {"OUTSIDE": "out"}) == {
        "PLAIN": "value",
        "EXPORTED": "spaced out",
        "HASH": "a#b",
        "EMPTY": "",
        "SINGLE": r"kept $PLAIN value \n # as it is",
        "DOUBLE": 'two\nlines "quoted" value',
        "MULTI": "first\nsecond",
        "REFERS": "value-out-default-",
        "QUOTED NAME": "yes",
        "LATER": "2",
    }


def test_a_file_is_named_relative_to_the_current_directory(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "g.py").touch()
    (tmp_path / "g.py").touch()
    for text, target in (("src/g.py:make", "./src/g.py:make"), ("g.py:g", "./g.py:g"), ("./g.py:g", "./g.py:g")):
        ref = parse_ref(text, tmp_path)
        assert (ref.target, ref.root, ref.name) == (target, str(tmp_path), target)
        assert location(ref) == tmp_path / target.partition(":")[0]
    elsewhere = parse_ref(f"{tmp_path}/g.py:g", tmp_path / "src")
    assert (elsewhere.target, elsewhere.root) == (f"{tmp_path}/g.py:g", str(tmp_path / "src"))


def test_a_module_is_taken_as_it_is(tmp_path):
    ref = parse_ref("pkg.mod:graph", tmp_path, "/py")
    assert (ref.target, ref.root, ref.python, location(ref)) == ("pkg.mod:graph", str(tmp_path), "/py", None)


def test_an_entry_of_the_project_is_named_by_its_id_or_its_target(project, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "g.py").touch()
    config = {"graphs": {"docs": "./src/g.py:g", "mod": "pkg.mod:g"}, "env": {"A": "1"}, "dependencies": ["."]}
    docs, mod = read_config(project(config), "/py")
    for text in ("docs", "src/g.py:g", "./src/g.py:g", f"{tmp_path}/src/g.py:g"):
        assert parse_ref(text, tmp_path, "/py") == docs
    assert parse_ref("g.py:g", tmp_path / "src", "/py") == docs
    assert parse_ref("pkg.mod:g", tmp_path, "/py") == mod


def test_what_is_not_listed_belongs_to_the_project_all_the_same(project, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "g.py").touch()
    project({"graphs": {"docs": "./a.py:g"}, "env": {"A": "1"}, "dependencies": ["."]})
    for text, target in (("g.py:other", "./src/g.py:other"), ("pkg.mod:other", "pkg.mod:other")):
        ref = parse_ref(text, tmp_path / "src", "/py")
        assert (ref.target, ref.name, ref.root, ref.python) == (target, target, str(tmp_path), "/py")
        assert (ref.env, ref.dependencies) == ({"A": "1"}, (str(tmp_path),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gone.py:g", "There is no file .*gone.py"),
        ("doc", "no graph called 'doc'. Did you mean docs?"),
        ("", "no graph called ''"),
        (":g", "no graph called ':g'"),
        ("g.py:", "no graph called 'g.py:'"),
    ],
)
def test_what_names_nothing_is_refused_with_what_comes_near(project, tmp_path, text, said):
    project({"graphs": {"docs": "./g.py:g"}})
    with pytest.raises(Refused, match=said):
        parse_ref(text, tmp_path)
