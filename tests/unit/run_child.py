"""A child that keeps to the protocol of a run without any graph: it does what the request's ``input`` lists.

Started in the place of ``backends/worker/__main__.py``; the first argument of each step is its name.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backends.runs.alive import hold
from backends.runs.events import Kind
from backends.runs.recorder import Recorder
from backends.runs.spec import RunSpec


def main() -> int:
    spec = RunSpec.from_json(sys.stdin.read())
    stopped: list[str] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append("drain"))
    signal.signal(signal.SIGINT, lambda *_: stopped.append("cancel"))
    recorder = None
    for name, *rest in spec.input or []:
        match name:
            case "hold":
                hold(spec.record)
                recorder = Recorder(spec.record)
                recorder.write(Kind.STARTED, pid=os.getpid(), host=os.uname().nodename, python="3", langgraph="1")
            case "event":
                recorder.write(Kind(rest[0]), **rest[1])
            case "until":  # a file exists, or a signal has come
                while not Path(rest[0]).exists() and not stopped:
                    time.sleep(0.01)
                if stopped:
                    recorder.write(Kind.STOPPING, how=stopped[0])
            case "say":
                print(rest[0], file=sys.stderr, flush=True)
            case "tell":  # what only the child can see
                seen = {"sid": os.getsid(0), "pgid": os.getpgid(0), "cwd": os.getcwd(), "argv": sys.orig_argv}
                Path(rest[0]).write_text(json.dumps(seen | {"env": dict(os.environ)}))
            case "fork":
                if os.fork() == 0:
                    time.sleep(60)
            case "signal":
                os.kill(os.getpid(), rest[0])
            case "exit":
                return rest[0]
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
