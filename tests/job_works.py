"""Work for jobs to do, in a module that a new process can import."""

import os
import time
from collections.abc import Callable

from fervt.errors import DataError
from fervt.progress import Progress


def count_to(report: Progress, number: int) -> list[int]:
    seen = []
    for i in range(number):
        time.sleep(0.15)
        seen.append(i)
        report((i + 1) / number, f"number {i}")
    return seen


def wait_forever(report: Progress) -> None:
    report(0.3, f"process {os.getpid()}")
    time.sleep(600)


def refuse(report: Progress) -> None:
    raise DataError("'x.csv' has no rows.")


def crash(report: Progress) -> None:
    raise KeyError("a bug")


def die(report: Progress) -> None:
    os.kill(os.getpid(), 9)


def talk(report: Progress) -> str:
    print("a library that prints to stdout")
    os.write(1, b"and one that writes past Python\n")
    return "quiet"


def square_bytes(report: Progress, data: bytes) -> bytes:
    return data[::-1]


def give_back(report: Progress, value: object) -> object:
    return value


class Unreadable:
    """Pickles, and cannot be read again."""

    def __reduce__(self) -> tuple:
        return int, ("no number",)


def give_unreadable(report: Progress) -> Unreadable:
    return Unreadable()


class Attack:
    """What a process that was taken over may answer: a call of any function."""

    def __init__(self, function, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


def attack(report: Progress, which: str, path: str) -> Attack:
    return _attack(which, path)


def attack_once(which: str, path: str) -> Attack:
    return _attack(which, path)


def _attack(which: str, path: str) -> Attack:
    calls = {
        "the system": (os.system, f"touch {path}"),
        "a function of ours": (write_text, path),
        "a class that is no record": (open, path, "w"),
        "a way around": (getattr, os, "system"),
    }
    return Attack(*calls[which])


def write_text(path: str) -> None:
    with open(path, "w") as file:
        file.write("x")


def give_what_does_not_pickle(report: Progress) -> object:
    return lambda: None


def take_memory(report: Progress, megabytes: int) -> int:
    return len(bytearray(megabytes * 1_000_000))


def measure(text: str) -> int:
    if not text:
        raise DataError("'x.csv' is empty.")
    return len(text)


def fill(megabytes: int) -> int:
    return len(bytearray(megabytes * 1_000_000))


def report_nonsense(report: Callable[..., None], said: tuple[object, ...]) -> None:
    report(*said)


def read_environment(name: str) -> str:
    return os.environ[name]
