import pytest

from engine.models.secrets import HIDDEN, Secrets, is_misplaced, is_refused


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "HUGGINGFACE_TOKEN", "CLIENT_TOKEN", "AWS_SECRET_ACCESS_KEY"])
def test_a_secret_is_hidden_wherever_it_stands(name):
    secrets = Secrets({name: "canary-12345"})
    assert secrets.hide("the key is canary-12345, is it") == f"the key is {HIDDEN}, is it"
    assert secrets.hide_all({"problem": "canary-12345", "tokens": 3}) == {"problem": HIDDEN, "tokens": 3}


def test_each_text_in_a_json_document_is_a_secret():
    document = '{"Credentials": {"AccessKeyId": "AKIAcanary01", "SecretAccessKey": "canary/secret"}}'
    secrets = Secrets({"BEDROCK_CREDENTIALS": document})
    assert secrets.hide("AKIAcanary01 canary/secret") == f"{HIDDEN} {HIDDEN}"


def test_the_longer_of_two_secrets_goes_first():
    secrets = Secrets({"OPENAI_API_KEY": "canary-1234", "HF_TOKEN": "canary-1234-long"})
    assert secrets.hide("canary-1234-long") == HIDDEN


@pytest.mark.parametrize("env", [{}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": "short"}, {"OTHER": "canary-12345"}])
def test_without_secrets_nothing_is_hidden(env):
    secrets = Secrets(env)
    assert not secrets
    assert secrets.hide("short canary-12345") == "short canary-12345"


def test_secrets_do_not_show_themselves():
    assert "canary" not in repr(Secrets({"OPENAI_API_KEY": "canary-12345"}))


ROW = "aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW3xY5zA7bC9d"
DIGEST = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.mark.parametrize(
    "key",
    [
        f"sk-proj-{ROW}_{ROW}",
        f"sk-or-v1-{DIGEST}",
        f"gsk_{ROW}",
        f"xai-{ROW}",
        f"pplx-{ROW}",
        f"r8_{ROW[:37]}",
        f"nvapi-{ROW}",
        f"glpat-{ROW[:20]}",
        f"github_pat_{ROW[:22]}_{ROW}",
        f"ya29.{ROW}",
        f"bedrock-api-key-{ROW}",
        f"ABSK{ROW}{ROW}=",
        f"fw_{ROW[:24]}",
        f"api_org_{ROW}",
        f"sk_live_{ROW[:24]}",
        f"dapi{DIGEST}",
        f"csk-{ROW}",
        f"unheard-of-{ROW}",
        f"{ROW[:20]}-{ROW[5:25]}_{ROW[3:8]}",
        ROW,
        DIGEST,
        "redis://:hunter2@cache:6379",
        "https://yuki:correct-horse@proxy.example:8080",
        "https://hooks.slack.com/services/T0/B0/hunter",
    ],
)
def test_a_key_in_the_wrong_place_is_known_by_its_form(key):
    assert is_misplaced(key, {})


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4o-mini",
        "MyCompanyGPT4oMiniProd2024",
        "apac.amazon.nova-lite-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghij12",
        "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8",
        "elyza/ELYZA-japanese-Llama-2-7b-fast-instruct",
        f"/root/.cache/huggingface/hub/models--a--b/snapshots/{DIGEST}{DIGEST[:8]}/model.gguf",
        "models/gemma3-270m-q4_k_m.gguf",
        "dynamodb:snack-misaki-SessionsTable-1ABCDEFGHIJKL",
        "https://endpoint-abcdef1234567890.us-east-1.aws.endpoints.huggingface.cloud/v1",
        "ft:gpt-4o-mini-2024-07-18:my-org:custom_suffix:AbCdEfGh",
    ],
)
def test_a_name_or_an_address_is_no_key(name):
    assert not is_misplaced(name, {})


@pytest.mark.parametrize(
    "name",
    [
        *("CLIENT_TOKEN", "AWS_SECRET_ACCESS_KEY", "GROQ_API_KEY", "MYSQL_PWD", "DB_PASS", "PGPASSWORD", "SENTRY_DSN"),
        *("JWT", "SESSION_COOKIE", "AUTHORIZATION", "API_TOKEN_2", "OPENAI_KEY1", "DATABASE_URL", "SLACK_WEBHOOK_URL"),
        *("PRIVATE_KEY_PEM", "ENCRYPTION_KEY_BASE64", "api_key", "AWS_BEARER_TOKEN_BEDROCK", "PASSWD_FILE"),
        *("MYTOKEN", "NPM_AUTH", "TLS_PEM", "DB_CONNECTION_STRING", "STORAGE_ACCESSKEY", "AUTH_HEADER_VALUE"),
    ],
)
def test_no_setting_reads_what_is_called_like_a_secret(name):
    assert is_refused(name)


@pytest.mark.parametrize(
    "name", ["LOCAL_LLM_MAX_TOKENS", "OPENAI_MODEL", "OPENAI_BASE_URL", "AWS_REGION", "HOME", "PWD", "OLDPWD"]
)
def test_other_variables_are_no_secrets(name):
    assert not is_refused(name)


def test_a_file_below_the_working_directory_is_no_secret():
    env = {"PWD": "/home/somebody/projects/bot", "OLDPWD": "/home/somebody/projects"}
    path = "/home/somebody/projects/bot/.models/model.gguf"
    assert not is_misplaced(path, env)
    assert Secrets(env).logged(path) == path


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SESSION_STORE sqlite:/home/yuki/rooms.db: locked", "SESSION_STORE sqlite:rooms.db: locked"),
        ("file:///home/yuki/model.gguf", "file://model.gguf"),
        (r"C:\Users\yuki\model.gguf", "model.gguf"),
        ("https://yuki:correct-horse@proxy.example", f"https://{HIDDEN}@proxy.example"),
        ("https://api.example.com/v1/chat", "https://api.example.com/v1/chat"),
    ],
)
def test_strangers_see_no_folder_and_no_password(text, shown):
    assert Secrets({}).public({"detail": text}) == {"detail": shown}
