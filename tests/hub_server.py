"""The Hub's HTTP protocol on this machine: repositories in memory, standard library only.

What the client libraries call while they create, upload (regular and LFS), commit, list and
download; with revoked tokens, gated repositories and connections that break.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_good"
LARGE = (".bin", ".parquet", ".png", ".safetensors")
"""Endings of files that go to large file storage."""
BREAKABLE = 100_000
"""Bytes from which an upload is large enough to be broken off."""


class RefusalError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: str = "", **body: object) -> None:
        super().__init__(code)
        self.status, self.code, self.body = status, code, body


@dataclass
class Repo:
    """Commits by branch or tag; each commit holds all its files."""

    kind: str
    name: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        """Put a new commit on a branch."""
        oid = hashlib.sha1(f"{self.name} {len(self.commits)}".encode()).hexdigest()
        self.commits[oid] = files
        self.refs[branch] = oid
        return oid

    def resolve(self, revision: str) -> str:
        """The commit of a branch, a tag or a commit."""
        oid = self.refs.get(revision, revision)
        if oid not in self.commits:
            raise RefusalError(404, "RevisionNotFound")
        return oid


class HubServer(ThreadingHTTPServer):
    """All state; `running` starts it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repos: dict[str, Repo] = {}
        self.gated: set[str] = set()
        self.large: dict[str, bytes] = {}
        self.requests: list[str] = []
        """``METHOD path`` of each."""
        self.breaks = 0
        """How many more large uploads are broken off."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, name: str, files: dict[str, bytes], kind: str = "models") -> str:
        """A commit on main, all other files gone."""
        repo = self.repos.setdefault(f"{kind}/{name}", Repo(kind, name))
        return repo.commit("main", dict(files))

    def put_folder(self, name: str, folder: Path) -> str:
        return self.put(name, {file.name: file.read_bytes() for file in folder.iterdir()})

    def files(self, name: str, revision: str = "main", kind: str = "models") -> dict[str, bytes]:
        repo = self.repos[f"{kind}/{name}"]
        return repo.commits[repo.resolve(revision)]

    def downloads(self) -> list[str]:
        """Names of files that were fetched."""
        got = [line for line in self.requests if line.startswith("GET") and "/resolve/" in line]
        return [line.rpartition("/")[2] for line in got]


@contextmanager
def running() -> Iterator[HubServer]:
    """A server that listens while the block runs."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def blob_id(data: bytes) -> str:
    """How git names a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def is_large(path: str) -> bool:
    return path.endswith(LARGE)


def oid_of(path: str, data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if is_large(path) else blob_id(data)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def log_message(self, *args: object) -> None:
        """Nothing on the terminal."""

    def _serve(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        length = int(self.headers.get("Content-Length") or 0)
        if self.command == "PUT" and length > BREAKABLE and self.server.breaks:
            self.server.breaks -= 1
            self.close_connection = True
            self.connection.close()
            return
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.body = b"".join(self._chunks())
        else:
            self.body = self.rfile.read(length)
        try:
            self._check_token(path)
            for method, pattern, answer in ROUTES:
                match = re.fullmatch(pattern, path)
                if match and self.command in method:
                    answer(self, **match.groupdict())
                    return
            raise RefusalError(404, "EntryNotFound")
        except RefusalError as refusal:
            self._refuse(refusal)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    @property
    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _check_token(self, path: str) -> None:
        reads = self.command != "POST" or re.search("/paths-info/|/validate-yaml", path)
        if self._token not in ("", TOKEN) or (not reads and not self._token):
            raise RefusalError(401, error="Invalid credentials in Authorization header")

    def _repo(self, kind: str | None, name: str) -> Repo:
        if name in self.server.gated:
            raise RefusalError(403, "GatedRepo")
        repo = self.server.repos.get(f"{(kind or 'models').strip('/')}/{name}")
        if repo is None:
            raise RefusalError(404 if self._token else 401, "RepoNotFound")
        return repo

    def create(self) -> None:
        wanted = json.loads(self.body)
        if wanted.get("organization") != "org":
            raise RefusalError(403, error="You don't have the rights to create a model here")
        name = f"{wanted['organization']}/{wanted['name']}"
        key = f"{wanted.get('type') or 'model'}s/{name}"
        url = f"{self.server.url}/{name}"
        if key in self.server.repos:
            raise RefusalError(409, url=url, error="You already created this repo")
        repo = self.server.repos[key] = Repo(key.partition("/")[0], name)
        repo.commit("main", {})
        self._json({"url": url, "name": name})

    def check_card(self) -> None:
        self._json({"errors": [], "warnings": []})

    def branch(self, kind: str, name: str, ref: str) -> None:
        repo = self._repo(kind, name)
        if ref in repo.refs:
            raise RefusalError(409, error="exists")
        repo.refs[ref] = repo.refs["main"]
        self._json({})

    def tag(self, kind: str, name: str, ref: str) -> None:
        repo = self._repo(kind, name)
        repo.refs[json.loads(self.body)["tag"]] = repo.resolve(ref)
        self._json({})

    def preupload(self, kind: str, name: str, ref: str) -> None:
        repo = self._repo(kind, name)
        there = repo.commits[repo.resolve(ref)]
        self._json(
            {
                "files": [
                    {
                        "path": path,
                        "uploadMode": "lfs" if is_large(path) else "regular",
                        "shouldIgnore": False,
                        "oid": oid_of(path, there[path]) if path in there else None,
                    }
                    for path in (file["path"] for file in json.loads(self.body)["files"])
                ]
            }
        )

    def batch(self, kind: str | None, name: str) -> None:
        self._repo(kind, name)
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            upload = {"upload": {"href": f"{self.server.url}/large/{wanted['oid']}"}}
            there = wanted["oid"] in self.server.large
            objects.append({**wanted} if there else {**wanted, "actions": upload})
        self._json({"transfer": "basic", "objects": objects})

    def store(self, oid: str) -> None:
        assert hashlib.sha256(self.body).hexdigest() == oid
        self.server.large[oid] = self.body
        self._reply(200, b"", {"ETag": f'"{oid}"'})

    def commit(self, kind: str, name: str, ref: str) -> None:
        repo = self._repo(kind, name)
        files = dict(repo.commits[repo.resolve(ref)])
        for line in self.body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
            elif entry["key"] == "deletedFile":
                del files[value["path"]]
        oid = repo.commit(ref, files)
        url = f"{self.server.url}/{name}/commit/{oid}"
        self._json({"success": True, "commitUrl": url, "commitOid": oid})

    def info(self, kind: str, name: str, ref: str | None = None) -> None:
        repo = self._repo(kind, name)
        oid = repo.resolve(ref or "main")
        siblings = [{"rfilename": path} for path in sorted(repo.commits[oid])]
        self._json(
            {
                "id": name,
                "sha": oid,
                "siblings": siblings,
                "tags": [],
                "private": False,
                "downloads": 0,
                "likes": 0,
            }
        )

    def tree(self, kind: str, name: str, ref: str, under: str | None = None) -> None:
        repo = self._repo(kind, name)
        files = repo.commits[repo.resolve(ref)]
        prefix = f"{under}/" if under else ""
        deep = parse_qs(urlsplit(self.path).query).get("recursive", [""])[0].lower() == "true"
        inside = [path for path in sorted(files) if path.startswith(prefix)]
        if under and not inside:
            raise RefusalError(404, "EntryNotFound")
        entries: dict[str, dict[str, Any]] = {}
        for path in inside:
            steps = path.removeprefix(prefix).split("/")
            for depth in range(1, len(steps) if deep else min(2, len(steps))):
                folder = prefix + "/".join(steps[:depth])
                entries[folder] = {"type": "directory", "path": folder, "size": 0, "oid": "0" * 40}
            if deep or len(steps) == 1:
                entries[path] = self._entry(path, files[path])
        self._json(list(entries.values()))

    def paths(self, kind: str, name: str, ref: str) -> None:
        repo = self._repo(kind, name)
        files = repo.commits[repo.resolve(ref)]
        text = self.body.decode()
        wanted = json.loads(text)["paths"] if text.startswith("{") else parse_qs(text)["paths"]
        self._json([self._entry(path, files[path]) for path in wanted if path in files])

    def refs(self, kind: str, name: str) -> None:
        refs = self._repo(kind, name).refs
        listed = [{"name": r, "ref": f"refs/heads/{r}", "targetCommit": o} for r, o in refs.items()]
        self._json({"branches": listed, "tags": [], "converts": []})

    def resolve(self, kind: str | None, name: str, ref: str, path: str) -> None:
        repo = self._repo(kind, name)
        oid = repo.resolve(ref)
        data = repo.commits[oid].get(path)
        if data is None:
            raise RefusalError(404, "EntryNotFound", commit=oid)
        headers = {"X-Repo-Commit": oid, "ETag": f'"{oid_of(path, data)}"'}
        if is_large(path):
            headers |= {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(len(data))}
        self._reply(200, data, headers)

    @staticmethod
    def _entry(path: str, data: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data)}
        if is_large(path):
            entry["lfs"] = {"oid": oid_of(path, data), "size": len(data), "pointerSize": 130}
        return {**entry, "oid": blob_id(data)}

    def _json(self, record: object) -> None:
        self._reply(200, json.dumps(record).encode(), {"Content-Type": "application/json"})

    def _refuse(self, refusal: RefusalError) -> None:
        headers = {"X-Error-Code": refusal.code, "X-Error-Message": refusal.code}
        if "commit" in refusal.body:
            headers["X-Repo-Commit"] = str(refusal.body["commit"])
        body = json.dumps(refusal.body).encode()
        self._reply(refusal.status, body, {key: value for key, value in headers.items() if value})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


API = r"/api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)"
WEB = r"(?P<kind>/datasets)?/(?P<name>[^/]+/[^/]+?)"
ROUTES = [
    ("POST", "/api/repos/create", Handler.create),
    ("POST", "/api/validate-yaml", Handler.check_card),
    ("POST", rf"{API}/branch/(?P<ref>.+)", Handler.branch),
    ("POST", rf"{API}/tag/(?P<ref>.+)", Handler.tag),
    ("POST", rf"{API}/preupload/(?P<ref>[^/]+)", Handler.preupload),
    ("POST", rf"{API}/commit/(?P<ref>[^/]+)", Handler.commit),
    ("POST", rf"{API}/paths-info/(?P<ref>[^/]+)", Handler.paths),
    ("POST", rf"{WEB}\.git/info/lfs/objects/batch", Handler.batch),
    ("PUT", "/large/(?P<oid>.+)", Handler.store),
    ("GET", API, Handler.info),
    ("GET", rf"{API}/revision/(?P<ref>.+)", Handler.info),
    ("GET", rf"{API}/tree/(?P<ref>[^/]+)(/(?P<under>.+))?", Handler.tree),
    ("GET", rf"{API}/refs", Handler.refs),
    ("GET HEAD", rf"{WEB}/resolve/(?P<ref>[^/]+)/(?P<path>.+)", Handler.resolve),
]
"""Methods, path and what answers."""
