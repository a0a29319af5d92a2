"""A small HTTP client on the standard library: JSON for the APIs, cookies and forms for the two admins."""

import http.cookiejar
import json
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser


class Answer:
    def __init__(self, response):
        self.status, self.url = response.status, response.geturl()
        self.text = response.read().decode()
        self.location = response.headers.get("Location", "")

    @property
    def json(self):
        try:
            return json.loads(self.text)
        except ValueError:
            return {}

    def __str__(self):
        return f"{self.status} {self.location} {self.text[:300]!r}"


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def send(opener, request):
    try:
        return Answer(opener.open(request, timeout=120))
    except urllib.error.HTTPError as refusal:
        return Answer(refusal)


class Api:
    """SimpleJWT's endpoints of one server."""

    def __init__(self, base):
        self.base = base
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), StayHere)

    def call(self, path, body=None, access=None, base=None):
        request = urllib.request.Request((base or self.base) + path)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if access:
            request.add_header("Authorization", f"Bearer {access}")
        return send(self.opener, request)

    def login(self, username, password):
        return self.call("/api/token/", {"username": username, "password": password})

    def refresh(self, token):
        return self.call("/api/token/refresh/", {"refresh": token})

    def verify(self, token):
        return self.call("/api/token/verify/", {"token": token})

    def blacklist(self, token):
        return self.call("/api/token/blacklist/", {"refresh": token})

    def me(self, access):
        return self.call("/api/me/", access=access)


class Forms(HTMLParser):
    """The forms of a page: for each its hidden values and the names of its other fields."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.form = [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "form":
            self.form = {"action": values.get("action"), "hidden": {}, "names": set()}
            self.forms.append(self.form)
        elif tag in ("input", "button", "select", "textarea") and self.form is not None and values.get("name"):
            if values.get("type") == "hidden":
                self.form["hidden"][values["name"]] = values.get("value") or ""
            else:
                self.form["names"].add(values["name"])

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None


class Browser:
    """Somebody with cookies in front of an admin."""

    def __init__(self, base):
        self.base = base
        self.cookies = http.cookiejar.CookieJar()
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), StayHere
        self.opener = urllib.request.build_opener(*handlers)

    def get(self, path):
        return send(self.opener, urllib.request.Request(self.base + path))

    def submit(self, path, fields, having=None):
        """Opens a page, fills in its form (the one with a field `having`) and sends it."""
        page = self.get(path)
        fitting = [form for form in Forms(page.text).forms if having is None or having in form["names"] | form["hidden"].keys()]
        if not fitting:
            return page
        form = fitting[0]
        target = urllib.parse.urljoin(self.base + path, form["action"] or "")
        data = urllib.parse.urlencode({**form["hidden"], **fields}, doseq=True).encode()
        request = urllib.request.Request(target, data=data)
        request.add_header("Referer", self.base + path)
        request.add_header("Origin", self.base)
        return send(self.opener, request)

    def log_in(self, username, password):
        return self.submit("/admin/login/?next=/admin/", {"username": username, "password": password}, "password")
