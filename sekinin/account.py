"""An account on another server: told in the way that the server asks for, Digest or Basic, and never before it asks."""

from __future__ import annotations

import base64
from email.message import Message
from urllib.error import URLError
from urllib.request import AbstractDigestAuthHandler, HTTPPasswordMgrWithDefaultRealm, Request, parse_http_list, parse_keqv_list

from sekinin.errors import Refused


class Account:
    """A name and a password, and what the server last asked for.

    Args:
        said: ``name:password``; empty for none.
    Source: RFC 7617 (Basic), RFC 7616 (Digest, with qop ``auth``).
    """

    def __init__(self, said: str = "") -> None:
        self.name, _, self.password = said.partition(":")
        self._basic = False
        self._digest: dict[str, str] = {}
        self._passwords = HTTPPasswordMgrWithDefaultRealm()
        self._handler = AbstractDigestAuthHandler(self._passwords)

    def asked(self, headers: Message | None) -> bool:
        """Take in what a 401 asks for, and return whether there is something to answer with.

        Digest goes before Basic, as it does not show the password.

        Args:
            headers: of the answer with the status 401.
        """
        if not self.name or headers is None:
            return False
        offers = dict(said.partition(" ")[::2] for said in headers.get_all("WWW-Authenticate", []))
        schemes = {name.lower(): rest for name, rest in offers.items()}
        if "digest" in schemes:
            self._digest = parse_keqv_list(list(filter(None, parse_http_list(schemes["digest"]))))
        self._basic = "basic" in schemes and not self._digest
        return bool(self._digest) or self._basic

    def header(self, method: str, address: str) -> str | None:
        """Return the header ``Authorization`` for a request, or None where the server has not asked.

        Args:
            method: of the request.
            address: whole, with its query.
        Raises:
            Refused: if the server wants a way of Digest that is not known here.
        """
        if self._basic:
            return "Basic " + base64.b64encode(f"{self.name}:{self.password}".encode()).decode("ascii")
        if not self._digest:
            return None
        self._passwords.add_password(None, address, self.name, self.password)
        try:
            made = self._handler.get_authorization(Request(address, method=method), self._digest)
        except (ValueError, URLError) as why:
            raise Refused(
                address, f"the server wants a way to log in that is not known here ({why})", "let it ask for Basic, or for Digest with MD5"
            ) from why
        return f"Digest {made}" if made else None
