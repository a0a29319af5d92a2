"""Tokens: good ones, and ones that are wrong in ways that their structure suggests. JSON is put together as text, so that
what no library would write (two equal names, `NaN`, half surrogate pairs, other encodings) can be in it."""

import base64
import hashlib
import hmac
import json
import time

import reference

NESTED = [10, 90, 126, 127, 128, 200, 900, 5000]
NAMES = ["exp", "iat", "nbf", "jti", "sub", "iss", "aud", "token_type", "user_id", "refresh_exp", "custom"]


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def values(rng, now):
    """One JSON value, as text."""
    depth = rng.choice(NESTED)
    offset = rng.choice([-100000, -100, 100, 100000])
    near = now + offset
    return rng.choice([
        "null", "true", "false", "0", "-0", "1", "-1", "1.0", "1.5", "-0.0", "1e3", "1E+3", "1e-400", "1e400", "-1e400",
        "NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5", "0x10", "1_0", "nul", "True",
        "9" * 15, "9" * 19, "-" + "9" * 19, "18446744073709551615", "18446744073709551616", "9" * 30, "9" * 309, "9" * 400,
        "9" * 4300, "9" * 4301, "253402300799", "253402300800", "1e18", "0.1e12", "123456789012345678.0",
        str(near), str(near) + ".5", "%de0" % near, str(-near), '"%d"' % near, '" %d "' % near, '"%d.0"' % near,
        '"1_0"', '"+5"', '"-5"', '"1e9"', '"\u0661"', '"\uff15"', '"nan"', '"inf"', '" "', '"\\n5\\t"', '"5\\u00a0"', '"5\\u0000"',
        '""', '"x"', '"1"', '" 1 "', '"01"', '"0_1"', '"2"', '"999"', '"alice"', '"access"', '"refresh"', '"sliding"', '"ACCESS"',
        '"\\ud800"', '"\\ud83d\\ude00"', '"\\udc00\\ud800"', '"a\\u0000b"', '"\u00e9"', '"\U0001f600"', '"\\u00e9"', '"\x7f"',
        '"\t"', '"\\x41"', '"\\/"', '"%s"' % ("j" * rng.choice([32, 254, 255, 256, 300])), "'x'", '"unclosed',
        "[]", "{}", "[1]", '["access"]', '{"a":1}', '["x","y"]', '[null]', '[[]]', '{"a":{"b":[]}}', "[1,]", '{"a":1,}', "[NaN]",
        "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth,
    ])


def value(rng, now, name, number):
    text = values(rng, now)
    # An id that comes twice would be blacklisted already.
    return '"%x' % number + text[1:] if name == "jti" and text[0] == '"' else text


def pairs(rng, now, kind, number):
    claims = [
        ("token_type", '"%s"' % kind), ("exp", str(now + 1000)), ("iat", str(now - 10)),
        ("jti", '"%032x"' % number), ("user_id", '"1"'),
    ]
    if kind == "sliding":
        claims.append(("refresh_exp", str(now + 2000)))
    for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3])):
        name, change = rng.choice(NAMES), rng.random()
        others = [pair for pair in claims if pair[0] != name]
        if change < 0.15:
            claims = others
        elif change < 0.25:
            claims.insert(rng.randrange(len(claims) + 1), (name, value(rng, now, name, number)))
        else:
            claims = others + [(name, value(rng, now, name, number))]
    return claims


def header_pairs(rng, now):
    header = [("alg", '"HS256"'), ("typ", '"JWT"')]
    if rng.random() < 0.35:
        name = rng.choice(["alg", "alg", "typ", "kid", "crit", "b64", "jwk", "jku", "cty", "x5c", "zip", "ALG"])
        value = rng.choice([
            values(rng, now), '"HS256"', '"hs256"', '"HS384"', '"none"', '"None"', '"RS256"', '"HS256 "', '["HS256"]', '["b64"]',
            '["exp"]', '["b64","b64"]', '["b64","exp"]', '[1]', "true", "false",
        ])
        if rng.random() < 0.7:
            header = [pair for pair in header if pair[0] != name]
        header.insert(rng.randrange(len(header) + 1), (name, value))
        if name == "crit" and rng.random() < 0.7:
            header.append(("b64", rng.choice(["true", "false", "null", "1"])))
    return header


def document(rng, members):
    """The members as a JSON document in bytes."""
    space = rng.choice(["", "", "", "", "", " ", "\n", "\t\r\n ", "\x0b", "\u00a0"]) if rng.random() < 0.2 else ""
    text = "{" + ("," + space).join('"%s":%s%s' % (name, space, value) for name, value in members) + "}" + space
    change = rng.random()
    if change < 0.10:
        text = rng.choice([
            "\ufeff" + text, text + "x", "[" + text + "]", text[:-1], text[1:], "null", "5", '"x"', "", " ", text + text,
            text.replace(":", " : "), text.replace('"', "'"), "/**/" + text, text + "\0", "\0" + text, json.dumps(text), "[]", "{}",
        ])
    data = text.encode("utf-8", "surrogatepass")
    change = rng.random()
    if change < 0.02:
        data = text.encode(rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-32-be"]), "surrogatepass")
    elif change < 0.04 and data:
        at = rng.randrange(len(data))
        data = data[:at] + bytes([rng.choice([0, 0x80, 0xC0, 0xED, 0xFF, 0xFE, 0x1F])]) + data[at + rng.randrange(2):]
    elif change < 0.05:
        data = data.replace(b'"custom":', b'"custom\xed\xa0\x80":')
    return data


def spelled(rng, token):
    """The finished token, spelled another way."""
    segments = token.split(".")
    at = rng.randrange(len(segments))
    segment = segments[at]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = rng.randrange(len(segment) + 1)
    other = rng.choice(["=", " ", "\n", "\t", "+", "/", "%", "\u00e9", "\0", "\ufeff", "A", "_", ".", "\u2028", "\x1c", "\u0430"])
    segments[at] = rng.choice([
        segment + "=" * (-len(segment) % 4), segment + "=", segment + "==", segment + "====", "=" + segment,
        segment + "A", segment[:-1], segment[1:], "", segment.replace("-", "+").replace("_", "/"), segment.upper(),
        segment[:-1] + alphabet[(alphabet.index(segment[-1]) + 1) % 64] if segment[-1:] in alphabet and segment else segment,
        segment[:place] + other + segment[place:], segment[:place] + other + segment[place + 1:], segment + "\n", " " + segment,
    ])
    return rng.choice([".".join(segments)] * 8 + [
        ".".join(segments[:2]), ".".join(segments) + ".", "." + ".".join(segments), "..".join(segments), "Bearer " + token,
        ".".join(reversed(segments)), ".".join(segments + segments[2:]), " " + token + " ", token + "\n", '"' + token + '"', ".", "..", "...",
    ])


def make(rng, number):
    """Kind, and a token that may or may not be one."""
    now = int(time.time())
    kind = rng.choice(["access", "refresh", "refresh", "sliding"])
    head = document(rng, header_pairs(rng, now)) if rng.random() < 0.4 else b'{"alg":"HS256","typ":"JWT"}'
    message = encode(head) + "." + encode(document(rng, pairs(rng, now, kind, number)))
    key = reference.KEY if rng.random() < 0.97 else reference.KEY + "x"
    digest = hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    token = message + "." + encode(digest)
    return kind, spelled(rng, token) if rng.random() < 0.2 else token


def requests(rng, number):
    """The requests that present one token."""
    kind, token = make(rng, number)
    post = [("Content-Type", b"application/json")]

    def body(field):
        return json.dumps({field: token}).encode()

    made = [("POST", "/api/token/verify/", post, body("token"))]
    if kind != "access" or rng.random() < 0.2:
        made.append(("POST", "/api/token/refresh/", post, body("refresh")))
        made.append(("POST", "/api/token/sliding/refresh/", post, body("token")))
    if kind != "refresh" or rng.random() < 0.2:
        header = token.encode("utf-8", "surrogatepass")
        if len(header) < 8000 and all(byte >= 0x20 and byte != 0x7F or byte == 9 for byte in header):
            made.append(("GET", "/api/me/", [("Authorization", b"Bearer " + header)], b""))
    if kind == "refresh":
        made += [("POST", "/api/token/blacklist/", post, body("refresh"))] * 2
    return made
