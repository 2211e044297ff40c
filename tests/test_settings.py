"""Settings by name, from the environment and from .env: which goes first, and what is said of wrong ones."""

from pathlib import Path
from typing import Any

import pytest

from service.settings import LOCAL_NAMES, Settings, SettingsError, load_settings, variable

SECRET = "swordfish"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a .env."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def complaint(**overrides: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(**overrides)
    return str(caught.value)


def test_an_option_goes_before_the_environment_and_that_before_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().port == 8000
    (folder / ".env").write_text("GROVE_PORT=1\nGROVE_HOST=::1\nOTHER=x\n")
    assert load_settings().port == 1
    monkeypatch.setenv("GROVE_PORT", "2")
    assert load_settings(host=None).port == 2
    assert load_settings(port="3").port == 3
    assert load_settings().host == "::1"
    monkeypatch.setenv("GROVE_PORT", "")
    assert load_settings().port == 1


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROVE_ALLOWED_HOSTS", "a.example, b.example,,")
    assert load_settings().allowed_hosts == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("port", "65536"),
        ("port", "tcp://10.0.0.1:8000"),
        ("workers", "0"),
        ("explorer", "perhaps"),
        ("log_format", "xml"),
        ("log_level", "loud"),
        ("request_seconds", "nan"),
        ("request_seconds", "0"),
        ("max_tokens", "1e3"),
        ("actor_header", "X Forwarded User"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_set(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(variable(name), value)
    said = complaint()
    assert said.startswith(f"{variable(name)} is '{value}'. Set it to ")
    assert str(Settings.model_fields[name].description) in said
    assert "\n" not in said


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROVE_EXPLORER", "perhaps")
    monkeypatch.setenv("GROVE_LOG_FROMAT", "json")
    assert [line.split()[0] for line in complaint(port="x").splitlines()] == [
        "GROVE_LOG_FROMAT",
        "--port",
        "GROVE_EXPLORER",
    ]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("GROVE_DATABASE_URL", "GROVE_DATABASE"),
        ("GROVE_LOGLEVEL", "GROVE_LOG_LEVEL"),
        ("GROVE_MAX_OBJECT", "GROVE_MAX_OBJECTS"),
        ("GROVE_ALLOWED_ORIGIN", "GROVE_ALLOWED_ORIGINS"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_right_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, right: str
) -> None:
    (folder / ".env").write_text(f"{wrong}=x\n")
    assert complaint() == f"{wrong} is not a setting. Did you mean {right}?"
    (folder / ".env").unlink()
    monkeypatch.setenv(wrong, "x")
    assert complaint() == f"{wrong} is not a setting. Did you mean {right}?"


def test_variables_of_others_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GROVE_TEST_DATABASE_URL", "GROVE_SERVICE_HOST", "GROVE_PORT_8000_TCP_ADDR", "GROVES"):
        monkeypatch.setenv(name, "x")
    load_settings()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///var/lib/grove.sqlite3",
        "sqlite://grove.sqlite3",
        "postgres://grove@localhost/grove",
        "postgresql://grove:a%40b@[::1]:5432/grove?sslmode=require",
        "postgres://postgres:@/grove?host=/run/postgresql",
    ],
)
def test_databases(url: str) -> None:
    settings = load_settings(database=url)
    assert settings.database == url
    assert settings.on_sqlite is url.startswith("sqlite")


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://grove:{SECRET}@localhost/grove",
        f"grove:{SECRET}@localhost/grove",
        "sqlite://",
        "sqlite://:memory:",
        "postgres://",
        f"postgres://grove:{SECRET}/a@localhost/grove",
        f"postgres://grove:{SECRET}[@localhost/grove",
    ],
)
def test_other_databases_are_refused_without_telling_the_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GROVE_DATABASE", url)
    said = complaint()
    assert said.startswith("GROVE_DATABASE ")
    assert "sqlite:///absolute/path, sqlite://relative/path, or postgres://" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        (f"postgres://grove:{SECRET}@db:5432/grove", "postgres://grove:***@db:5432/grove", SECRET),
        (f"postgres://grove:{SECRET}%40a@db/grove", "postgres://grove:***@db/grove", f"{SECRET}@a"),
        (f"postgres://db/grove?user=a&password={SECRET}", "postgres://db/grove?user=a&password=***", SECRET),
        (f"postgres://grove:{SECRET}@a@db/grove", "postgres://grove:***@db/grove", f"{SECRET}@a"),
        ("postgres://grove@db/grove", "postgres://grove@db/grove", ""),
        ("sqlite://grove.sqlite3", "sqlite://grove.sqlite3", ""),
    ],
)
def test_the_password_is_not_shown(url: str, shown: str, password: str) -> None:
    settings = load_settings(database=url)
    assert settings.database_shown == shown
    assert settings.password == password
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


def test_host_names_follow_from_the_address() -> None:
    assert load_settings().hosts == LOCAL_NAMES
    assert load_settings(host="0.0.0.0").hosts == ()
    assert load_settings(allowed_hosts="a.example").hosts == ("a.example",)
    assert load_settings(allowed_hosts="*").hosts == ()


def test_another_process_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        database=f"postgres://grove:{SECRET}@db/grove",
        allowed_hosts="a.example,b.example",
        explorer=False,
        actor_header="X-User",
        request_seconds=1.5,
    )
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_every_setting_says_what_it_must_be() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert not field.description.endswith("."), name


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1
