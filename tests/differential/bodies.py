"""Requests: any method, content type, body, `Accept`, `?format=` and `Authorization` that the views may meet."""

import base64
import json

import tokens

FIELDS = {
    "/api/token/": ["username", "password"],
    "/api/token/sliding/": ["username", "password"],
    "/api/token/refresh/": ["refresh"],
    "/api/token/blacklist/": ["refresh"],
    "/api/token/verify/": ["token"],
    "/api/token/sliding/refresh/": ["token"],
    "/api/me/": [],
}
GOOD = {"username": "alice", "password": "wonderland-1"}
TEXTS = [
    "", " ", "x", "alice", "ALICE", " alice\n", "wonderland-1", "  wonderland-1\t", "ina", "sleeping-3", "4711", "1.5", "a\0b", "\0",
    "\u00e9", "\u00a0alice\u3000", "\u200balice", "\x1calice\x1f", "\x85alice", "\u2028", "\U0001f600", "\u0301", "\ufeffalice", "a b",
    "<script>", "' OR 1=1 --", "%s", "null", "true", "a" * 200, "\x7f", "a\r\nb", "a=b&c", "\ufffd",
]
LITERALS = [
    "null", "true", "false", "0", "-0", "1", "4711", "4711.0", "1.5", "1.50", "-1.5", "15e-1", "1e2", "1E400", "-1e400", "1e-7", "0.00001",
    "123456789012345678", "1e15", "1e16", "1e22", "123456789012345680000", "9" * 40, "9" * 4300, "9" * 4301, "-" + "9" * 4301,
    "1." + "3" * 40, "5e-324", "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "[]", "{}", "[1]", '["alice"]', '{"a":1}', "[ ]",
    '"\\ud800"', '"\\ud83d\\ude00"', '"\\udc00x\\ud83d"', '"a\\u0000b"', '"\\u0000"', '"\\ud800\\u0000"', '" \\ud800 "', '"\\/"', '"\\x"',
    '"\t"', '"\n"', "'x'", "undefined", "[" * 60 + "]" * 60, '{"a":' * 60 + "1" + "}" * 60, '"' + "\\u0061" * 5 + '"', '"\\u00E9"', '"\\u12"',
]
WRAPS = [
    "{}", " {}", "{}\n", "\ufeff{}", "{}x", "{}{}", "[{}]", "({})", "{},", "\0{}", "{}\0", "//\n{}", "\x0b{}", "\u00a0{}", "\x0c{}",
]
BARE = ["", " ", "null", "true", "false", "0", "-1", "1.5", "1e5", '"x"', '""', "[]", "[1]", "[{}]", "{}", "{", "}", "nul", "NaN", "-", "\\",
        "-Infinity", "1e400", "9" * 4301, '"\\ud800"', '"', "{\"a\"}", "{\"a\":}", "{,}", "[", "[" * 300, "\x00", "tru", "{\"a\":1,}", "[1,]"]
CHARSETS = ["utf-8", "UTF-8", "utf8", "latin-1", "iso-8859-1", "us-ascii", "ascii", "utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252",
            "windows-1252", "koi8-r", "utf-7", "shift_jis", "bogus", "", "zlib", "hex", "base64", "rot13", "idna", "punycode", "unicode_escape",
            "raw_unicode_escape", "undefined", "\"utf-8\"", "'utf-8'", "utf-8 ", "mbcs", "u8", "latin1", "L1", "cp819", "iso8859-15", "big5"]
ENCODINGS = ["utf-8"] * 12 + ["latin-1", "utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "shift_jis"]
TYPES = {
    "json": ["application/json"] * 8 + ["APPLICATION/JSON", " application/json ", "application/json;", "*/*", "application/*", "*/json", "json",
             "application/json; indent=4", "application/json;charset", "application/json ;x=y", "text/json", "application/vnd.api+json",
             "application", "/", "application/json, text/plain", "application/json;;;", "*", "application/json/x", "\t", "text/plain", ""],
    "form": ["application/x-www-form-urlencoded"] * 6 + ["Application/X-WWW-Form-Urlencoded", "application/x-www-form-urlencoded; a=\"b;c\"", "*/*",
             "application/x-www-form-urlencoded ", "x-www-form-urlencoded"],
    "multipart": ["multipart/form-data; boundary=edge"] * 6 + ["multipart/form-data; boundary=\"edge\"", "multipart/form-data", "Multipart/Form-Data; Boundary=edge",
                  "multipart/form-data; boundary=", "multipart/form-data; boundary=other", "multipart/form-data;boundary=edge; boundary=x",
                  "multipart/form-data; boundary='edge'", "multipart/mixed; boundary=edge", "multipart/form-data; boundary=edge ;x", "multipart/*; boundary=edge",
                  "multipart/form-data; boundary=\"ed\\ge\"", "multipart/form-data; boundary=" + "e" * 201, "multipart/form-data; boundary*=utf-8''edge",
                  "multipart/form-data; boundary=edge\u00e9", "multipart/form-data; boundary=\"edge", " multipart/form-data; boundary=edge"],
}
ACCEPTS = ["application/json", "*/*", "text/html", "text/*", "application/*", "application/xml", "", ",", "*", "json", "application/json;q=0",
           "application/json; indent=4", "application/json;indent=4;q=0.5", "application/json; indent=x", "application/json; indent=-1", "application/json; indent=99",
           "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "*/*; indent=2", "application/*; indent=3", "APPLICATION/JSON", "text/html; q=1, application/json; q=0.1",
           "application/json; version=1", "image/png, */*;q=0.1", "*/json", "*/html", "application/json;", ";", "/", "text/html;level=1, application/json;level=1",
           "application/json, text/html", "text/html, application/json", "application/xml, text/*;q=0.3", "x" * 300 + ", application/json", "application/json; a=\"b,c\"",
           "application/json;indent=\"2\"", "application/json; INDENT=2", "application/json;indent=2;indent=3", " application/json ", "\u00e9/\u00e9", "application/json;indent= 2",
           "application/json, application/json; indent=2", "*/*, application/json; indent=2", "text/html;indent=2, */*"]
FORMATS = ["?format=json", "?format=api", "?format=xml", "?format=", "?format", "?Format=json", "?format=json&format=api", "?format=%6Ason", "?format=JSON", "?x=1", "?",
           "?format=json%20", "?format=+json", "?&format=json", "?format=%FF", "?format=api&x", "?format=json;x", "?format=admin", "?format=html"]


def json_body(rng, path):
    """Text of a JSON body."""
    if rng.random() < 0.12:
        return rng.choice(BARE)
    members = []
    for name in FIELDS[path]:
        if rng.random() < 0.1:
            continue
        text = json.dumps(GOOD.get(name, "x.y.z"), ensure_ascii=False)
        for _ in range(2 if rng.random() < 0.1 else 1):
            if rng.random() < 0.5:
                text = rng.choice(LITERALS) if rng.random() < 0.6 else json.dumps(rng.choice(TEXTS), ensure_ascii=rng.random() < 0.5)
            members.append((name, text))
    if rng.random() < 0.2:
        members.insert(0, (rng.choice(["extra", "", "Username", "username ", "\\u0075sername", "\\ud800", "csrfmiddlewaretoken"]), rng.choice(LITERALS)))
    text = "{" + rng.choice([",", ", ", " ,\n"]).join('"%s"%s%s' % (n, rng.choice([":", ": ", " : "]), v) for n, v in members) + "}"
    return rng.choice(WRAPS).replace("{}", text) if rng.random() < 0.1 else text


def form_body(rng, path):
    pairs = []
    for name in FIELDS[path] + (["extra"] if rng.random() < 0.2 else []):
        if rng.random() < 0.1:
            continue
        for _ in range(2 if rng.random() < 0.15 else 1):
            value = GOOD.get(name, "x") if rng.random() < 0.5 else rng.choice(TEXTS)
            quoted = "".join(c if c.isalnum() and c.isascii() or rng.random() < 0.3 else "".join("%%%02x" % b for b in c.encode()) for c in value)
            pairs.append(name + rng.choice(["=", "=", "=", "=", "", "==", " =", "%3D"]) + quoted)
    text = rng.choice(["&", "&", "&", "&&", ";"]).join(pairs)
    extra = ["+", "%", "%zz", "%C3%A9", "%E9", "%ff%fe", "&", "=", "&=", "%u0041", "%00", "%0", "\u00e9", "#", "?"]
    return text + rng.choice(extra) if rng.random() < 0.3 else text


def multipart_body(rng, path):
    parts = []
    for name in FIELDS[path] + (["extra"] if rng.random() < 0.2 else []):
        if rng.random() < 0.1:
            continue
        for _ in range(2 if rng.random() < 0.15 else 1):
            value = GOOD.get(name, "x") if rng.random() < 0.5 else rng.choice(TEXTS)
            shown = rng.choice(['"%s"'] * 8 + ["%s", "'%s'", '"%s', '" %s "', '"%s"; x=y', '"%s" ;filename=""', '"%s"; filename="f"', '"%s"; filename=f.txt', '"%s"; filename="/"',
                                '"%s"; filename="."', '"x"; name="%s"', '"%s"; filename*=utf-8\'\'f', '"%s"; filename=" "', '"%s"; filename="a/"', '"%s"; filename="&#47;"']) % name
            head = rng.choice(["Content-Disposition"] * 9 + ["content-disposition", "Content-Disposition ", "Content-Type", "X"])
            line = head + ": " + rng.choice(["form-data"] * 9 + ["attachment", "", "FORM-DATA"]) + "; " + rng.choice(["name"] * 9 + ["NAME", "name*", "nam"]) + "=" + shown
            more = rng.choice([""] * 9 + ["\r\nContent-Type: text/plain; charset=latin-1", "\r\nContent-Transfer-Encoding: base64", "\r\ncontent-transfer-encoding: BASE64",
                                          "\r\nContent-Transfer-Encoding: quoted-printable", "\r\nX-Long: " + "x" * 1100, "\r\nContent-Length: 3", "\r\n folded", "\r\nX", "\n"])
            if "base64" in more.lower() and rng.random() < 0.8:
                value = base64.b64encode(value.encode()).decode()
                value = rng.choice([value, value.rstrip("="), value[:2] + "\r\n" + value[2:], value + "!", value + "=", value + "QQ=="])
            parts.append("--edge" + rng.choice(["\r\n"] * 12 + ["\n", " \r\n", "x\r\n", ""]) + line + more + rng.choice(["\r\n\r\n"] * 15 + ["\n\n", "\r\n"]) + value + rng.choice(["\r\n"] * 15 + ["\n", "", "\r\n\r\n", "\r"]))
    text = "".join(parts) + rng.choice(["--edge--\r\n"] * 10 + ["--edge--", "", "--edge", "--edge--\r\ntrailer", "--edge--\r\n--edge\r\nContent-Disposition: form-data; name=username\r\n\r\nina\r\n"])
    return rng.choice(["preamble\r\n", "\r\n", "\n", "--", " "]) + text if rng.random() < 0.08 else text


def body(rng, path):
    """Content type (or None) and bytes."""
    kind = rng.choice(["json", "json", "json", "form", "multipart"])
    text = {"json": json_body, "form": form_body, "multipart": multipart_body}[kind](rng, path)
    content_type = rng.choice(TYPES[kind] if rng.random() < 0.93 else TYPES[rng.choice(sorted(TYPES))])
    encoding = "utf-8"
    if rng.random() < 0.15:
        charset = rng.choice(CHARSETS)
        content_type += rng.choice(["; charset=", ";charset=", "; Charset = "]) + charset
        encoding = rng.choice(ENCODINGS)
    data = text.encode(encoding, "replace") if encoding != "utf-8" else text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.03 and data:
        at = rng.randrange(len(data))
        data = data[:at] + bytes([rng.choice([0, 0x1B, 0x80, 0xC0, 0xED, 0xFF])]) + data[at:]
    return (None if rng.random() < 0.03 else content_type), data


def authorization(rng, number):
    token = tokens.make(rng, number)[1].encode("utf-8", "replace").replace(b"\n", b"").replace(b"\0", b"")[:2000]
    token = bytes(byte for byte in token if byte >= 0x20 and byte != 0x7F)
    scheme = rng.choice([b"Bearer"] * 8 + [b"bearer", b"BEARER", b"JWT", b"Basic", b"", b"Bearer:", b"Bearer\xc2\xa0", b"\xff", b"Token"])
    space = rng.choice([b" "] * 8 + [b"  ", b"\t", b"", b"=", b"\xa0"])
    return scheme + space + rng.choice([token] * 8 + [b"", b"x", token + b" x", token + b" ", b"x y", b"\xff\xfe", b"\xc3\xa9", b",", token + b"," + token, b'"x"'])


def requests(rng, number):
    """One request."""
    path = rng.choice(sorted(FIELDS))
    usual = "GET" if path == "/api/me/" else "POST"
    method = usual if rng.random() < 0.9 else rng.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "FOO"])
    headers, data = [], b""
    if method != "GET" and method != "HEAD" or rng.random() < 0.05:
        content_type, data = body(rng, path)
        if content_type is not None:
            headers.append(("Content-Type", content_type.encode()))
    if rng.random() < 0.2:
        headers += [("Accept", rng.choice(ACCEPTS).encode()) for _ in range(rng.choice([1, 1, 1, 2]))]
    target = path + (rng.choice(FORMATS) if rng.random() < 0.1 else "")
    if rng.random() < (0.9 if path == "/api/me/" else 0.1):
        headers += [("Authorization", authorization(rng, number)) for _ in range(rng.choice([1] * 12 + [2]))]
    if rng.random() < 0.05:
        headers.append(("Origin", rng.choice([b"https://app.example.com", b"null", b"", b"x"])))
    return [(method, target, headers, data)]
