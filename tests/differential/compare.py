"""When two answers are the same, and which disagreements docs/differences.md has a row for."""

import base64
import json
import re

NEW = ("exp", "iat", "jti", "refresh_exp")
ME = ("id", "username", "email")
HEADERS = ("content-type", "www-authenticate", "allow")


def claims(value):
    """A token's claims without what is new in each token; anything else as it is."""
    if isinstance(value, str) and value.count(".") == 2:
        try:
            payload = value.split(".")[1]
            found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return {name: None if name in NEW else value for name, value in found.items()}
        except ValueError:
            pass
    return value


def read(answer):
    """What counts of an answer: status, headers, body."""
    status, headers, body = answer
    shown = {name: headers.get(name) for name in HEADERS}
    if shown["allow"]:
        shown["allow"] = sorted(shown["allow"].split(", "))
    shown["vary"] = sorted(set((headers.get("vary") or "").replace(" ", "").lower().split(",")) - {"cookie", ""})
    if (shown["content-type"] or "").startswith("text/html"):
        return status, shown, "(a page)"
    try:
        body = json.loads(body)
    except ValueError:
        return status, shown, body
    if isinstance(body, dict):
        body = {name: claims(value) for name, value in body.items()}
        detail = body.get("detail")
        # The rest depends on the parser.
        if isinstance(detail, str) and detail.startswith("JSON parse error - "):
            body["detail"] = "JSON parse error - "
        # OPTIONS describes the view in words of our own.
        if "description" in body:
            body["description"] = ""
        if "date_joined" in body:
            body = {name: body[name] for name in ME}
    return status, shown, body


def difference(request, theirs, ours):
    """How the answers differ, or None."""
    theirs, ours = read(theirs), read(ours)
    if theirs == ours:
        return None
    parts = [(a, b) for a, b in zip(theirs, ours) if a != b]
    return " | ".join("%s => %s" % (str(a)[:300], str(b)[:300]) for a, b in parts)


def documented(request, theirs, ours):
    """The row of docs/differences.md that allows it (its proof's name), or None."""
    method, target, headers, body = request
    kinds = b",".join(value for name, value in headers if name == "Content-Type").decode("latin-1").lower()
    if "charset" in kinds and ours[0] < 500:
        if theirs[0] == 500 or RARE_CHARSET.search(kinds) or body.startswith(b"\xef\xbb\xbf"):
            return "rare-charset"
    if "multipart/" in kinds and body and theirs[0] in (200, 400, 401) and ours[0] in (200, 400, 401):
        if re.search(rb"&#47;|base64|\*=|\xff|\x80|\xc0|\xed", body, re.I) or RFC2231.search(kinds):
            return "multipart-odds"
    if ours[0] >= 500:
        return None
    if theirs[0] == 500 and b"\\ud" in body.lower() and "text/html" in (ours[1].get("content-type") or ""):
        return "half-pair-page"
    for token in presented(request):
        name = of_token(token, target, theirs, ours)
        if name:
            return name
    return None


RARE_CHARSET = re.compile("utf-?(7|16|32)|punycode|idna|unicode_escape|undefined|mbcs|iso8859-15|windows-1252|cp1252|shift_jis|big5")
RFC2231 = re.compile(r"\*=")


def presented(request):
    """Header and payload of each token in a request, as bytes."""
    _, _, headers, body = request
    try:
        read = json.loads(body)
        texts = [value for value in read.values() if isinstance(value, str)] if isinstance(read, dict) else []
    except (ValueError, RecursionError):
        texts = [body.decode("latin-1")]
    texts += [value.decode("latin-1") for name, value in headers if name == "Authorization"]
    for text in texts:
        for match in JWT.finditer(text):
            try:
                yield tuple(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in match.groups())
            except ValueError:
                pass


def of_token(token, target, theirs, ours):
    texts, everything = [], []
    for part in token:
        try:
            part.decode("utf-8")
        except UnicodeDecodeError:
            return "only_json_objects_are_read"
        if b"\0" in part:
            return "only_json_objects_are_read"
        try:
            texts.append(json.loads(part))
            # Of two equal names each has to be readable.
            everything.append(json.loads(part, object_pairs_hook=lambda pairs: [list(pair) for pair in pairs]))
        except (ValueError, RecursionError):
            return None
    header, claims = texts
    if not isinstance(claims, dict) or not isinstance(header, dict):
        return None
    said = ours[2].decode("utf-8", "replace")
    scalars = list(walk(everything))
    if any(isinstance(value, str) and re.search("[\ud800-\udfff]", value) for value in scalars):
        return "half-pair"
    if any(isinstance(value, float) and (value != value or abs(value) == float("inf")) for value in scalars):
        return "nan"
    if any(depth(part) > 127 for part in token):
        return "deep-claims"
    if any(isinstance(value, int) and not -(2**63) <= value < 2**64 for value in scalars):
        return "huge-number"
    if "iss" in claims and not isinstance(claims["iss"], str):
        return "iss-type"
    for name in ("exp", "iat", "nbf"):
        if isinstance(claims.get(name), str):
            return "exp-text" if name == "exp" and claims[name].strip().isascii() else "foreign-digits"
    if any(as_number(claims.get(name)) >= 253402300800 for name in ("exp", "refresh_exp")):
        return "exp-year-10000"
    if "refresh_exp" in claims and "Token is invalid" in said and type(claims["refresh_exp"]) not in (int, float):
        return "refresh-exp-type"
    if "Token is blacklisted" in said and "/verify/" in target:
        return "verify-blacklisted"
    if theirs[0] == 500 and "jti" not in claims:
        return "no-jti"
    if isinstance(claims.get("jti"), str) and (len(claims["jti"]) > 255 or "\0" in claims["jti"]):
        return "jti-long"
    user = claims.get("user_id")
    if user in (None, "") and "No active account" in said:
        return "token-of-nobody"
    if "No active account" in said or "User not found" in said or theirs[0] == 500:
        if user == "999" or user == 999 or user == "2" or user == 0 or user == "0":
            return "sliding-refresh-user" if "sliding" in target else "deleted-user"
        if not (isinstance(user, str) and user.isdigit() and str(int(user)) == user and user.isascii()):
            return "user-id-type" if theirs[0] == 500 or theirs[0] == 401 else "user-id-spelling"
        return "user-id-type" if theirs[0] == 500 else "sliding-refresh-user"
    return None


def as_number(value):
    return value if isinstance(value, (int, float)) else 0


def depth(text):
    """How deep a JSON document is nested."""
    level = deepest = 0
    for byte in re.sub(rb'"(\\\\.|[^"\\\\])*"', b"", text):
        level += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, level)
    return deepest


def walk(value):
    """All scalars and names in nested lists."""
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
        else:
            yield value


def kind(request, theirs, ours):
    """Disagreements of one kind are shown once."""
    theirs, ours = read(theirs), read(ours)
    return request[0], request[1].partition("?")[0], re.sub(r"[0-9]+", "", str((theirs[0], theirs[2])))[:80], re.sub("[0-9]+", "", str((ours[0], ours[2])))[:80]


JWT = re.compile(r"([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{2,})\.[A-Za-z0-9_-]*")


def show(request):
    method, target, headers, body = request
    headers = ", ".join("%s: %s" % (name, opened(value.decode("latin-1"))) for name, value in headers)
    text = opened(body.decode("utf-8", "backslashreplace"))
    return "%s %s %s %r" % (method, target, headers, text if len(text) < 900 else text[:900] + "…")


def opened(text):
    """The text with its tokens readable."""
    return JWT.sub(lambda match: "JWT(%s . %s)" % (decoded(match.group(1)), decoded(match.group(2))), text)


def decoded(segment):
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode("utf-8", "backslashreplace")
    except ValueError:
        return segment
