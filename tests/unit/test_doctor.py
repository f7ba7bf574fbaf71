"""What the doctor says of stores, interpreters and projects that are broken, each in its own way."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import sysconfig
import time
from contextlib import closing
from pathlib import Path

import pytest

from backends.address import parse_address
from backends.doctor import disk, sqlite_inside, sqlite_locks, sqlite_place  # noqa: F401  out of nobody's reach later
from backends.doctor.examine import Case, examine
from backends.doctor.finding import State
from backends.doctor.graphs import examine_graphs
from backends.doctor.installed import ask
from backends.doctor.interpreter import examine_interpreter
from backends.doctor.records import examine_records
from backends.doctor.store import examine_store
from backends.ids import checkpoint_id_at
from backends.locks import board, sqlite_board  # noqa: F401
from tests import schemas
from tests.project import make_project
from tests.sqlite_files import _TAIL, as_nobody, connect, fork, make, put
from tui.cli import main
from tui.cli.exits import Exit
from tui.config_path import config_path

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def installed():
    """What this interpreter has."""
    return ask("", ROOT)


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    return make(tmp_path / "store" / "app.sqlite")


def told(findings, *states):
    """Findings in some states, as texts by their names."""
    wanted = states or (State.WARNING, State.FAULT)
    return {one.name: f"{one.told} {one.advice}" for one in findings if one.state in wanted}


def faults(path, installed, readonly=False):
    return told(examine_store(parse_address(str(path), {}), readonly, installed), State.FAULT)


# --- stores ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_sound_store_has_no_fault_and_is_left_as_it_is(tmp_path, installed, journal):
    folder = tmp_path / "store"
    folder.mkdir()
    path = make(folder / "app.sqlite", journal=journal)
    before = {one.name: one.read_bytes() for one in folder.iterdir()}
    found = list(examine_store(parse_address(str(path), {}), False, installed))
    assert told(found) == {}
    assert {"disk", "store", "clock", "values", "rights", "indexes", "schema", "size", "damage", "locks"} <= {
        one.name for one in found
    }
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == before


def test_a_file_that_is_not_there(store, installed):
    assert "Did you mean app.sqlite?" in faults(store.with_name("ap.sqlite"), installed)["store"]


def test_a_file_that_is_something_else(tmp_path, installed):
    path = tmp_path / "notes.sqlite"
    path.write_text("not a database at all, but long enough to be read as one")
    assert "not an SQLite database" in faults(path, installed)["store"]


def test_a_file_that_may_not_be_read(store, installed):
    store.chmod(0o600)
    open_up(store.parent)
    found = as_nobody(lambda: faults(store, installed))
    assert "cannot be read: Permission denied" in found["store"]


def open_up(folder):
    """Let others go through to a folder of pytest's."""
    for one in (folder, *folder.parents):
        if not one.stat().st_mode & 0o001:
            one.chmod(one.stat().st_mode | 0o055)


def test_a_directory_that_may_not_be_written_to(store, installed):
    store.chmod(0o666)
    open_up(store.parent)
    found = as_nobody(lambda: faults(store, installed))
    assert f"This user may not write to {store.parent}." in found["rights"]
    assert "-wal" in found["rights"]
    assert as_nobody(lambda: faults(store, installed, readonly=True)) == {}


def killed_writer(path):
    """Write a checkpoint and die without closing."""

    def write():
        connection = connect(path)
        connection.execute("begin")
        put(connection, "late", 3)
        connection.execute("commit")
        os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(fork(write), 0)
    assert path.with_name(f"{path.name}-wal").stat().st_size


def test_a_wal_that_a_dead_writer_left(store, installed):
    killed_writer(store)
    found = told(examine_store(parse_address(str(store), {}), False, installed))
    assert found.keys() == {"wal"}
    assert "app.sqlite-wal was left behind" in found["wal"]
    assert "Never delete it" in found["wal"]


def test_a_stale_wal_that_cannot_be_read(store, installed):
    killed_writer(store)
    Path(f"{store}-shm").unlink()
    for path in (store, Path(f"{store}-wal")):
        path.chmod(0o644)
    open_up(store.parent)
    found = as_nobody(lambda: faults(store, installed))
    assert "What is shown may be stale" in found["wal"]


def test_a_full_disk(tmp_path):
    """A file system of its own, in a mount namespace that ends with the command."""
    code = (
        "import json, sys\n"
        "from backends.doctor.store import examine_store\nfrom backends.address import parse_address\n"
        "found = examine_store(parse_address(sys.argv[1], {}), False, None)\n"
        "print(json.dumps({one.name: one.told for one in found if one.state == 'fault'}))"
    )
    make(tmp_path / "app.sqlite", journal="delete")
    small = tmp_path / "small"
    small.mkdir()
    script = f"""
        mount -t tmpfs -o size=256k none {small} && cp {tmp_path}/app.sqlite {small}/ &&
        (dd if=/dev/zero of={small}/filler bs=1k 2>/dev/null; true) && "$0" -c "$1" {small}/app.sqlite
    """
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    done = subprocess.run(
        [*unshare, "sh", "-c", script, sys.executable, code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "The disk is full: 0 B of 262 kB are free" in done.stdout


@pytest.mark.parametrize(("journal", "begin"), [("delete", "begin exclusive"), ("wal", "begin immediate")])
def test_a_store_that_somebody_keeps_locked(store, installed, journal, begin):
    hold = f"""
import sqlite3, sys
connection = sqlite3.connect({str(store)!r}, isolation_level=None)
connection.execute("pragma journal_mode = {journal}")
connection.execute("{begin}")
connection.execute("delete from writes where 0")
print("held", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"held\n"
        found = faults(store, installed)
        writer.stdin.close()
    assert f"process {writer.pid} stays in a transaction" in found["locked"]
    assert ("store" in found) == (journal == "delete")


def test_a_schema_of_another_saver(store, installed):
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("alter table writes add column lease text")
    assert "does not know writes.lease" in faults(store, installed)["schema"]
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("alter table writes drop column lease")
        connection.execute("alter table writes drop column task_path")
    found = told(examine_store(parse_address(str(store), {}), False, installed), State.WARNING)
    assert "it has no writes.task_path" in found["schema"]


def test_a_table_that_has_lost_its_key(store, installed):
    with closing(sqlite3.connect(store)) as connection:
        connection.executescript(
            "create table c as select * from checkpoints; drop table checkpoints; alter table c rename to checkpoints"
        )
    assert "its primary key is gone" in faults(store, installed)["indexes"]


def test_damage_in_the_middle_of_a_file(store, installed):
    with closing(sqlite3.connect(store)) as connection:
        connection.executemany(
            "insert into writes values ('a', '', '1', ?, '', 0, 'c', 'msgpack', ?)",
            [(str(number), b"\xc0" * 900) for number in range(200)],
        )
        connection.commit()
    with open(store, "r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xff" * 3000)
    assert "The file is damaged" in faults(store, installed)["damage"]


def test_encrypted_values_without_the_key(tmp_path, installed, monkeypatch):
    path = tmp_path / "secret.sqlite"
    write = """
import sqlite3, sys
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
saver = SqliteSaver(sqlite3.connect(sys.argv[1]), serde=EncryptedSerializer.from_pycryptodome_aes())
config = {"configurable": {"thread_id": "a", "checkpoint_ns": ""}}
saver.put(config, empty_checkpoint(), {"source": "input", "step": -1}, {})
"""
    key = "0123456789abcdef"
    subprocess.run([sys.executable, "-c", write, path], env={**os.environ, "LANGGRAPH_AES_KEY": key}, check=True)
    monkeypatch.delenv("LANGGRAPH_AES_KEY", raising=False)
    assert "no key: set LANGGRAPH_AES_KEY" in faults(path, installed)["values"]
    monkeypatch.setenv("LANGGRAPH_AES_KEY", key[::-1])
    assert "wrong key" in faults(path, installed)["values"]
    monkeypatch.setenv("LANGGRAPH_AES_KEY", key)
    assert faults(path, installed) == {}


def insert(path, thread_id, checkpoint_id, parent_id=None):
    with closing(sqlite3.connect(path)) as connection:
        row = (thread_id, "", checkpoint_id, parent_id, "msgpack", b"\x80", b"{}")
        connection.execute("insert into checkpoints values (?, ?, ?, ?, ?, ?, ?)", row)
        connection.commit()


def test_ids_from_the_future(store, installed):
    insert(store, "ahead", f"{checkpoint_id_at(time.time() + 7200)}-{_TAIL}")
    found = faults(store, installed)["clock"]
    assert "thread 'ahead' is 7,200 s in the future" in found or "thread 'ahead' is 7,199 s in the future" in found
    assert "NTP" in found


def test_a_clock_that_was_set_back(store, installed):
    early, late = (f"{checkpoint_id_at(1_700_000_000 + seconds)}-{_TAIL}" for seconds in (100, 200))
    insert(store, "back", late)
    insert(store, "back", early, late)
    assert "Thread 'back' has a checkpoint whose id is older than its parent's" in faults(store, installed)["clock"]


def test_records_that_cannot_be_kept(tmp_path, monkeypatch):
    open_up(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    found = as_nobody(lambda: told(examine_records(), State.FAULT))
    assert f"{tmp_path} cannot be written to by this user" in found["records"]


# --- interpreters and graphs -------------------------------------------------------------------------------------


def of_project(folder, **options):
    return told(examine(Case(None, folder, **options)), State.FAULT)


def test_a_wrong_interpreter(tmp_path):
    assert "There is no Python interpreter" in of_project(tmp_path, python=".venv")["python"]
    assert "does not answer as a Python would" in of_project(tmp_path, python="/bin/true")["python"]


def test_an_interpreter_without_langgraph_and_one_without_the_saver(tmp_path):
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    found = told(examine_interpreter(ask(str(venv), tmp_path), "postgres"), State.FAULT)
    assert f"{venv}/bin/python -m pip install langgraph-checkpoint-postgres" in found["packages"]
    (site,) = venv.glob("lib/python*/site-packages")
    site.joinpath("libraries.pth").write_text(sysconfig.get_path("purelib"))
    site.joinpath("psycopg.py").write_text("raise ImportError('libpq is missing')")
    found = told(examine_interpreter(ask(str(venv), tmp_path), "postgres"), State.FAULT)
    assert "cannot be imported" in found["packages"]
    assert "libpq is missing" in found["packages"]


def test_a_bad_langgraph_json(tmp_path):
    (tmp_path / "langgraph.json").write_text('{"graphs": {"flow": "flow.py"}}')
    (found,) = examine_graphs(tmp_path, "", sys.executable)
    assert found.state is State.FAULT
    assert "the target of graph 'flow' has to be ./file.py:variable" in found.told
    (tmp_path / "langgraph.json").write_text('{"graphs": ')
    (found,) = examine_graphs(tmp_path, "", sys.executable)
    assert "is not JSON" in found.told


def test_a_graph_whose_dependency_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = make_project(tmp_path / "project")
    (project / "src" / "broken.py").write_text("import tensorflow_of_nobody.keras\n")
    found = list(examine_graphs(project, "", sys.executable))
    assert [one.state for one in found] == [State.OK, State.OK, State.FAULT]
    assert "No module named 'tensorflow_of_nobody'" in found[2].told
    assert f"{sys.executable} -m pip install tensorflow_of_nobody" in found[2].advice


def test_a_project_without_a_configuration_is_no_fault(tmp_path):
    (found,) = examine_graphs(tmp_path, "", sys.executable)
    assert found.state is State.NOTE


# --- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def lgtop(tmp_path, monkeypatch, capsys):
    """Run the command from an empty project; give its exit code, output and narration."""
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("LGTOP_STORE", "LGTOP_PROFILE", "PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def command(*argv):
        code = main.run(["doctor", *argv])
        captured = capsys.readouterr()
        assert "\x1b" not in captured.out + captured.err
        return code, captured.out, captured.err

    return command


def test_a_sound_store_ends_with_0_and_a_broken_one_with_1(lgtop, store):
    code, out, err = lgtop("-s", str(store))
    assert (code, err) == (Exit.DONE, "lgtop: nothing is wrong.\n")
    assert "✓ schema     The tables are those of the installed saver." in out
    insert(store, "ahead", f"{checkpoint_id_at(time.time() + 7200)}-{_TAIL}")
    code, out, err = lgtop("-s", str(store))
    assert (code, err) == (Exit.FAILED, "lgtop: 1 fault.\n")
    assert "✖ clock      The newest checkpoint of thread 'ahead'" in out
    assert "\n             → Set the clocks by NTP" in out


def test_the_findings_as_json(lgtop, store):
    code, out, _ = lgtop("-s", str(store), "--json")
    found = schemas.checked(json.loads(out), schemas.DOCTOR)
    assert (code, found["passed"], found["kind"], found["store"]) == (Exit.DONE, True, "sqlite", str(store))
    code, out, _ = lgtop("-s", "gone.sqlite", "--json")
    found = schemas.checked(json.loads(out), schemas.DOCTOR)
    assert (code, found["passed"]) == (Exit.FAILED, False)


def test_without_a_store_the_rest_is_looked_at(lgtop):
    code, out, _ = lgtop("--python", "nowhere/python", "--json")
    found = json.loads(out)
    assert (code, found["store"], found["kind"]) == (Exit.FAILED, None, None)
    states = {one["name"]: one["state"] for one in found["findings"]}
    assert (states["store"], states["python"], states["terminal"]) == ("note", "fault", "note")


def test_settings_that_cannot_be_used_or_keep_no_secret(lgtop, store):
    path = Path(config_path())
    path.parent.mkdir(parents=True)
    path.write_text("sotr = 1")
    code, out, _ = lgtop("-s", str(store))
    assert code == Exit.FAILED
    assert 'Did you mean "sort"?' in out.replace("\n             ", " ")
    path.write_text("[profiles.prod]\nstore = 'postgresql://me:hunter2@host/db'\n")
    path.chmod(0o644)
    code, out, _ = lgtop("-s", str(store))
    assert code == Exit.DONE
    assert "profile prod holds a password" in out.replace("\n             ", " ")
    assert "hunter2" not in out
