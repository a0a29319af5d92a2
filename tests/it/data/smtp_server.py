"""The SMTP server of the tests: aiosmtpd on a free port of the loopback.

Arguments: a JSON object with "tls" ("starttls", "implicit" or nothing), "certificate" and "key" (files), "user" and
"password" (asked for if they are there). The first line it prints is its port; then one line for each mail, before
the client hears that it was taken. A JSON object on stdin changes its answers ({"RCPT": "550 no"}) and is echoed:
what was printed before the echo happened before it. It ends with its stdin.
"""

import asyncio
import json
import ssl
import sys
import threading
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult

options = json.loads(sys.argv[1])
answers = {}


def say(value):
    print(json.dumps(value), flush=True)


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, _options):
        envelope.mail_from = address
        return answers.get("MAIL") or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, _options):
        envelope.rcpt_tos.append(address)
        return answers.get("RCPT") or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        part = lambda kind: (body := message.get_body((kind,))) and body.get_content()
        say({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "hello": session.host_name,
            "is_encrypted": session.ssl is not None or options.get("tls") == "implicit",
            "user": session.auth_data,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "kind": message.get_content_type(),
            "text": part("plain"),
            "html": part("html"),
            "raw": envelope.content.decode("latin-1"),
        })
        if answers.get("DATA") == "nothing":
            await asyncio.Event().wait()
        return answers.get("DATA") or "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    user, password = data.login.decode(), data.password.decode()
    if answers.get("AUTH") or (user, password) != (options["user"], options["password"]):
        return AuthResult(success=False, handled=False, message=answers.get("AUTH"))
    return AuthResult(success=True, auth_data=user)


def session():
    asks = "user" in options
    context = tls_context() if options.get("tls") == "starttls" else None
    return SMTP(
        Handler(),
        hostname="mail.test",
        enable_SMTPUTF8=True,
        tls_context=context,
        require_starttls=context is not None,
        auth_required=asks,
        # Over implicit TLS aiosmtpd does not see that there is TLS.
        auth_require_tls=context is not None,
        authenticator=authenticate if asks else None,
    )


def tls_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["certificate"], options["key"])
    return context


def listen(loop):
    for line in sys.stdin:
        wanted = json.loads(line)
        if wanted is not None:
            answers.clear()
            answers.update(wanted)
        say({"answers": answers})
    loop.call_soon_threadsafe(loop.stop)


loop = asyncio.new_event_loop()
implicit = tls_context() if options.get("tls") == "implicit" else None
server = loop.run_until_complete(loop.create_server(session, "127.0.0.1", 0, ssl=implicit))
say({"port": server.sockets[0].getsockname()[1]})
threading.Thread(target=listen, args=(loop,), daemon=True).start()
loop.run_forever()
