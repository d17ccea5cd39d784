"""Recordings in S3, as moto serves it on the loopback interface: ``just test-s3``.

moto needs an environment of its own, whose Python SERCTL_TEST_MOTO names. Between it and serctl stands
a proxy, which counts requests and breaks off answers.
"""

import http.client
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

MOTO = os.environ.get("SERCTL_TEST_MOTO", "")
RECORDINGS = Path(__file__).parents[1] / "recordings"
N_KEYS = 10_000
SECRET, KEY_ID = "hush-this-is-secret", "AKIAHUSHHUSHHUSH"
# A user of a bucket who may list it, and read all but some keys.
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/denied/*"},
    ],
}

pytestmark = pytest.mark.skipif(not MOTO, reason="SERCTL_TEST_MOTO names no Python with moto")


class Proxy(http.server.BaseHTTPRequestHandler):
    """Hands requests on; GETs of keys with ``breaks`` in them end in the middle."""

    protocol_version = "HTTP/1.1"
    port = 0
    requests = Counter()  # noqa: RUF012 - of all connections

    def handle_any(self):
        n_bytes = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(n_bytes)
        upstream = http.client.HTTPConnection("127.0.0.1", Proxy.port)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        answer = upstream.getresponse()
        content = answer.read()
        listing = "list-type=2" in self.path
        Proxy.requests["LIST" if listing else self.command] += 1
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date"):
                self.send_header(name, value)
        whole = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
        self.send_header("Content-Length", str(whole or 0))
        self.end_headers()
        if self.command == "GET" and "breaks" in self.path and not listing:
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def log_message(self, *_):
        pass


MOTO_SCRIPT = f"""\
import json, os, sys, boto3
where = dict(endpoint_url=sys.argv[1], region_name="us-east-1")
iam = boto3.client("iam", **where)
iam.create_user(UserName="u")
iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument={json.dumps(json.dumps(POLICY))})
key = iam.create_access_key(UserName="u")["AccessKey"]
s3 = boto3.client("s3", **where)
s3.create_bucket(Bucket="bucket")
for name in sys.stdin.read().splitlines():
    key_name, path = name.split("\\t")
    s3.put_object(Bucket="bucket", Key=key_name, Body=open(path, "rb").read() if path else b"")
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start_moto(port, environment):
    command = [MOTO, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    moto = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until_s = time.monotonic() + 120
    while time.monotonic() < until_s:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return moto
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("moto does not start")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """Environment variables with which serctl sees the bucket ``bucket``."""
    Proxy.port = free_port()
    base = {**os.environ, "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}
    base |= {"AWS_ACCESS_KEY_ID": "root", "AWS_SECRET_ACCESS_KEY": "root"}
    files = sorted(RECORDINGS.glob("*/*.wav"))[:4]
    put = [(f"calls/{file.name}", file) for file in files]
    put += [("denied/a.wav", files[0]), ("breaks/a.wav", files[0]), ("calls/notes.txt", "")]
    put += [(f"many/{i:05d}.wav", "") for i in range(N_KEYS)]
    n_set_up = 4 + len(put)  # requests that fill the bucket, whose permissions are not checked
    moto = start_moto(Proxy.port, base | {"INITIAL_NO_AUTH_ACTION_COUNT": str(n_set_up)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = subprocess.run(
            [MOTO, "-c", MOTO_SCRIPT, f"http://127.0.0.1:{Proxy.port}"],
            input="\n".join(f"{key}\t{path}" for key, path in put),
            env=base,
            capture_output=True,
            text=True,
            timeout=1200,
        )
        assert done.returncode == 0, done.stderr
        key_id, secret = json.loads(done.stdout)
        yield base | {
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        }
    finally:
        server.shutdown()
        server.server_close()
        moto.terminate()
        moto.wait()


def serctl(bucket, folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "serctl", *map(str, arguments)],
        env=bucket,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    written = [path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()]
    for text in (done.stdout, done.stderr, *written):
        assert bucket["AWS_SECRET_ACCESS_KEY"] not in text
        assert bucket["AWS_ACCESS_KEY_ID"] not in text
    return done


def rows_of(path):
    return {row["path"]: row for row in map(json.loads, path.read_text().splitlines())}


def test_ten_thousand_keys_are_listed_in_pages(bucket, tmp_path):
    Proxy.requests.clear()
    began_s = time.monotonic()
    done = serctl(bucket, tmp_path, "scan", "s3://bucket/many", "-o", "m.csv")
    print(f"{time.monotonic() - began_s:.1f} s, {dict(Proxy.requests)}")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "m.csv").read_text().splitlines()
    assert len(lines) == 1 + N_KEYS
    assert lines[1].startswith("s3://bucket/many/00000.wav,0,")
    assert 10 <= Proxy.requests["LIST"] <= 12  # of 1000 keys each, and one to see what it is
    assert Proxy.requests["HEAD"] <= 2
    assert Proxy.requests["GET"] == 0


def test_rows_are_those_of_local_copies(bucket, tmp_path):
    folder = tmp_path / "copies" / "calls"
    folder.mkdir(parents=True)
    for path in sorted(RECORDINGS.glob("*/*.wav"))[:4]:
        (folder / path.name).write_bytes(path.read_bytes())
    here = tmp_path / "here"
    here.mkdir()
    assert serctl(bucket, here, "classify", "s3://bucket/calls", "-o", "r.csv").returncode == 0
    assert serctl(bucket, here, "classify", folder, "-o", "l.csv").returncode == 0
    local = (here / "l.csv").read_bytes()
    assert local.count(b"\n") == 5
    assert local.replace(os.fsencode(folder), b"s3://bucket/calls") == (here / "r.csv").read_bytes()


def test_what_cannot_be_read_has_a_row_with_the_reason(bucket, tmp_path):
    names = ("calls/bakery-order.wav", "gone.wav", "denied/a.wav", "breaks/a.wav", "calls//x.wav")
    (tmp_path / "list.txt").write_text("".join(f"s3://bucket/{name}\n" for name in names))
    command = ("classify", "--files-from", "list.txt", "-o", "r.jsonl")
    done = serctl(bucket, tmp_path, *command)
    assert done.returncode == 1, done.stderr
    rows = rows_of(tmp_path / "r.jsonl")
    assert rows["s3://bucket/calls/bakery-order.wav"]["status"] == "ok"
    for name, reason in (
        ("gone.wav", "There is no such object"),
        ("denied/a.wav", "No permission"),
        ("breaks/a.wav", "Try again with --retry-failed"),
        ("calls//x.wav", "cannot read an object with this key"),
    ):
        row = rows[f"s3://bucket/{name}"]
        print(row["reason"])
        assert row["status"] == "failed"
        assert reason in row["reason"]
    done = serctl(bucket, tmp_path, *command, "--retry-failed")
    assert done.returncode == 1
    assert rows_of(tmp_path / "r.jsonl") == rows


def test_wrong_credentials_are_said_and_not_shown(bucket, tmp_path):
    wrong = bucket | {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    done = serctl(wrong, tmp_path, "classify", "s3://bucket/calls", "-o", "r.csv")
    print(done.stderr)
    assert done.returncode == 3
    assert "No permission" in done.stderr
