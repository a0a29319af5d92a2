"""The reference: a Django with REST framework and SimpleJWT in one file, asked in this process as a WSGI server asks it."""

import io
import logging
import sys
from urllib.parse import unquote_to_bytes

import django
from django.conf import settings

KEY = "differential-signing-key-0123456789abcdef-0123456789abcdef"
USERS = [
    {"username": "alice", "email": "alice@example.com", "password": "wonderland-1", "is_active": True},
    {"username": "ina", "email": "ina@example.com", "password": "sleeping-3", "is_active": False},
    {"username": "4711", "email": "n@example.com", "password": "1.5", "is_active": True},
]

settings.configure(
    SECRET_KEY=KEY,
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "corsheaders",
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
    ],
    MIDDLEWARE=["corsheaders.middleware.CorsMiddleware", "django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    USE_TZ=True,
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"]},
)
django.setup()
logging.disable(logging.CRITICAL)

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt import views  # noqa: E402


class MeView(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"id": request.user.pk, "username": request.user.username, "email": request.user.email})


urlpatterns = [
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/verify/", views.TokenVerifyView.as_view()),
    path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
    path("api/token/sliding/", views.TokenObtainSlidingView.as_view()),
    path("api/token/sliding/refresh/", views.TokenRefreshSlidingView.as_view()),
    path("api/me/", MeView.as_view()),
]


def start():
    """Makes the database and the users; answers the application."""
    PBKDF2PasswordHasher.iterations = 1
    call_command("migrate", verbosity=0)
    for user in USERS:
        get_user_model().objects.create_user(**user)
    return get_wsgi_application()


def ask(application, method, target, headers, body):
    """Status, headers (lower case) and body of one request. `headers` is a list of pairs of bytes."""
    address, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(address).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        name, value = name.upper().replace("-", "_"), value.strip(b" \t").decode("latin-1")
        if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = "HTTP_" + name
        # gunicorn joins what comes twice with a comma; the content type is the last one's.
        joined = name in environ and name.startswith("HTTP_")
        environ[name] = environ[name] + "," + value if joined else value
    started = []
    try:
        result = application(environ, lambda status, head, exc_info=None: started.append((status, head)))
    except Exception:
        return 500, {}, b""
    answer = b"".join(result)
    result.close()
    status, head = started[-1]
    return int(status[:3]), {name.lower(): value for name, value in head}, b"" if method == "HEAD" else answer
