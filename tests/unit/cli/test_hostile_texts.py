"""What a service reports is printed without secrets, and does nothing to the terminal."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from routestudio.cli import main
from routestudio.cli.output import harmless, out, paint, say

SECRET = "CANARY-77-echo"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2K\x1b[1A", "\\u001b[2K\\u001b[1A"),
        ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
        ("\x1b[8mhidden", "\\u001b[8mhidden"),
        ("failed\rpassed", "failed\\u000dpassed"),
        ("\x9b31m\x7f\x08", "\\u009b31m\\u007f\\u0008"),
        ("a\u202eb", "a\\u202eb"),
        ("one\r\ntwo\tthree é 💶", "one\r\ntwo\tthree é 💶"),
        ("\x1b[31mours\x1b[0m", "\x1b[31mours\x1b[0m"),
    ],
)
def test_only_our_colours_act_on_a_terminal(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert harmless(text) == shown
    out(text)
    say(text)
    found = capsys.readouterr()
    assert (found.out, found.err) == (f"{shown}\n", f"{shown}\n")


def test_all_our_colours_are_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for colour in ("red", "green", "yellow", "blue", "grey", "bold"):
        assert harmless(paint("x", colour)) == paint("x", colour) != "x"


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a database that repeats the password, in several forms, in its refusal."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def serve(server: socket.socket) -> None:
    while True:
        try:
            link, _ = server.accept()
        except OSError:
            return
        with link, link.makefile("rb") as file:
            while (size := file.read(4)) and (code := file.read(int.from_bytes(size, "big") - 4)):
                if code[:4] != struct.pack("!I", 80877103):  # not a request for TLS
                    break
                link.sendall(b"N")
            else:
                continue
            link.sendall(b"R" + struct.pack("!II", 8, 3))
            file.read(1)
            given = file.read(int.from_bytes(file.read(4), "big") - 4).rstrip(b"\0")
            said = b"no \x1b[2J" + b" ".join([given, given.hex().encode(),
                                             base64.b64encode(given)])  # fmt: skip
            body = b"SFATAL\0VFATAL\0C28P01\0M" + said + b"\0D" + said + b"\0\0"
            link.sendall(b"E" + struct.pack("!I", len(body) + 4) + body)


def test_a_password_of_an_address_is_not_repeated(
    echo: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also without a project, which would know the variable for a secret."""
    monkeypatch.setenv("ECHOED", SECRET)
    address = f"postgres://clerk@127.0.0.1:{echo}/shop?password=${{ECHOED}}&table=orders"
    assert main.run(["sample", address]) == 2
    found = capsys.readouterr()
    text = found.out + found.err
    assert "no \\u001b[2J" in text, text
    for form in (SECRET, SECRET.encode().hex(), base64.b64encode(SECRET.encode()).decode()[:-2]):
        assert form not in text
