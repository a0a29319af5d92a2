"""Makes django_passwords.json anew: what Django's four validators say of a few thousand passwords.

    pip install django==5.2.*
    python3 tests/it/data/record_django_passwords.py
"""

import json
import random
from pathlib import Path

OWNERS = [
    ["ann", "Ann", "Archer", "ann@example.com"],
    ["o'hara-2000", "Scarlett", "O'Hara", "scarlett.o'hara+news@mail.example.co.uk"],
    ["Ἀριστοτέλης", "Straße", "İstanbul", "user@bücher.example"],
    ["", "", "", ""],
    ["a", "b c", "  ", "x@y.zz"],
    ["christopher.montgomery", "Christopher", "Montgomery-Featherstonehaugh", "c.m@example.org"],
]
ALPHABETS = ["abcde12345", "0123456789", "٠١٢٣²①🄀½Ⅷ", "aAäßİΣς éя", "aаnrche@.-_' "]


def passwords(rng, owner, common):
    for value in owner:
        for word in [value, *value.replace("@", " ").replace(".", " ").split()]:
            yield from [word, word.upper(), word[::-1], word + "1", word * 2, f" {word} ", f"{word}-{rng.randrange(1000)}"]
            if word:
                at = rng.randrange(len(word))
                yield word[:at] + rng.choice("xyz12") + word[at + 1 :]
                yield word + "".join(rng.choices("qwxyz123", k=rng.randrange(1, 40)))
    for _ in range(60):
        word = rng.choice(common)
        yield from [word, word.upper(), f" {word}\t", word + rng.choice("1a!"), word.title()]
    for alphabet in ALPHABETS:
        for _ in range(60):
            yield "".join(rng.choices(alphabet, k=rng.randrange(1, 24)))


def main():
    from django.conf import settings

    names = ["UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword"]
    module = "django.contrib.auth.password_validation"
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
        AUTH_PASSWORD_VALIDATORS=[{"NAME": f"{module}.{name}Validator"} for name in names],
    )
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
    from django.core.exceptions import ValidationError

    rng = random.Random(6)
    common = sorted(CommonPasswordValidator().passwords)
    problems, cases = [], []
    for number, owner in enumerate(OWNERS):
        user = User(**dict(zip(["username", "first_name", "last_name", "email"], owner)))
        for password in dict.fromkeys(filter(None, passwords(rng, owner, common))):
            said = []
            try:
                validate_password(password, user)
            except ValidationError as error:
                said = [[fault.code, fault.messages[0]] for fault in error.error_list]
            for problem in said:
                if problem not in problems:
                    problems.append(problem)
            cases.append([number, password, [problems.index(problem) for problem in said]])
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    head = json.dumps({"owners": OWNERS, "problems": problems}, ensure_ascii=False)[:-1]
    path = Path(__file__).with_name("django_passwords.json")
    path.write_text(f'{head}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")


main()
