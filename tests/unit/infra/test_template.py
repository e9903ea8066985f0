"""The stack and its guide: what they name is there, and nothing is allowed that the function does not need."""

from __future__ import annotations

import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from engine.api.routes import ROUTES
from engine.aws.secrets import VARIABLES
from engine.conversations.dynamodb import INDEX

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "deploying.md").read_text("utf-8")
ENGINE = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "engine").rglob("*.py")))

ENTRYPOINT = (ROOT / "tools" / "image" / "entrypoint.sh").read_text("utf-8")


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as mappings with one key."""


def short_form(loader, tag, node):
    kind = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}[type(node)]
    return {tag: kind(node) if isinstance(node, yaml.ScalarNode) else kind(node, deep=True)}


Loader.add_multi_constructor("!", short_form)
TEXT = (ROOT / "template.yaml").read_text("utf-8")
TEMPLATE = yaml.load(TEXT, Loader)  # noqa: S506  a safe loader with the tags of one format
RESOURCES = TEMPLATE["Resources"]
FUNCTION = RESOURCES["Function"]["Properties"]


def statements(value=RESOURCES["Role"]["Properties"]["Policies"]):
    """Every statement of the role's policies, with the conditions around it looked through."""
    if isinstance(value, dict) and "Effect" in value:
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from statements(inner)


def actions(statement):
    """Names of services and actions, whichever of two a condition chooses."""
    return set(re.findall(r"[a-z]+:\w+", str(statement["Action"])))


def test_every_parameter_says_what_it_is_for_and_stands_in_a_group():
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(TEMPLATE["Parameters"])
    assert all(parameter["Description"] for parameter in TEMPLATE["Parameters"].values())
    assert not {name for name in TEMPLATE["Parameters"] if TEXT.count(name) < 3}, "declared, grouped, and used"


def test_the_guide_and_the_example_name_parameters_that_are_there():
    chapter = GUIDE.partition("## Parameters")[2].partition("\n## ")[0]
    named = re.findall(
        r"`(\w+)`", "".join(line.split("|")[1] for line in chapter.splitlines() if line.startswith("| `"))
    )
    assert named
    example = re.findall(r'^    "(\w+)=', (ROOT / "samconfig.toml").read_text("utf-8"), re.MULTILINE)
    assert {*named, *example} <= TEMPLATE["Parameters"].keys()


def references(value):
    """Parameters that a rule's condition or assertion looks at."""
    return set(re.findall(r"'!?Ref': '(\w+)'", str(value)))


def test_a_paid_key_wants_a_token_of_the_clients_or_users_or_a_word_that_it_does_not():
    rule = TEMPLATE["Rules"]["PaidKeysWantClients"]
    assert references(rule["RuleCondition"]) == {"OpenAIKeyName", "HuggingFaceTokenName"}
    (assertion,) = rule["Assertions"]
    assert references(assertion["Assert"]) == {"ClientTokenName", "Anonymous", "SignInRequired", "SignUp"}
    assert TEMPLATE["Parameters"]["Anonymous"]["Default"] == "false"
    assert TEMPLATE["Parameters"]["SignUp"]["Default"] == "false"


def test_a_way_to_sign_in_wants_all_that_it_needs():
    wanted = {
        name: {parameter for assertion in rule["Assertions"] for parameter in references(assertion["Assert"])}
        for name, rule in TEMPLATE["Rules"].items()
    }
    assert wanted["PoolWantsAddresses"] == {"SignInDomain", "SignInUrls", "SignOutUrls"}
    assert wanted["IssuerWantsClients"] == {"AuthIssuer", "AuthClientIds"}
    assert wanted["RequiredWantsSignIn"] == {"SignIn"}
    assert TEMPLATE["Parameters"]["SignIn"]["Default"] == "none"


def test_a_page_signs_in_by_code_without_a_secret_and_in_no_other_way():
    client = RESOURCES["WebClient"]["Properties"]
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert references([client["CallbackURLs"], client["LogoutURLs"]]) == {"SignInUrls", "SignOutUrls"}


def test_the_lock_and_the_function_know_the_same_issuer_and_clients():
    body = RESOURCES["Api"]["Properties"]["DefinitionBody"]
    condition, scheme, _ = body["components"]["securitySchemes"]["SignIn"]["If"]
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    variables = FUNCTION["Environment"]["Variables"]
    assert condition == "HasSignIn"
    assert authorizer["jwtConfiguration"]["issuer"] == variables["AUTH_ISSUER"]
    assert str(authorizer["jwtConfiguration"]["audience"]).count("WebClient") == 1
    assert references(authorizer["jwtConfiguration"]["audience"]) == references(variables["AUTH_CLIENT_IDS"])
    assert variables["AUTH"] == {"If": ["HasSignIn", {"If": ["IsSignInRequired", "required", "optional"]}, "none"]}


def test_calls_that_need_a_user_are_behind_the_lock_and_no_others():
    paths = RESOURCES["Api"]["Properties"]["DefinitionBody"]["paths"]
    for route in ROUTES:
        # The path that names most of it is the one that API Gateway takes.
        path = max((path for path in paths if fnmatch(route.path, path.replace("{proxy+}", "*"))), key=len)
        methods = paths[path]
        found = methods.get(route.method.lower(), methods.get("x-amazon-apigateway-any-method"))
        assert ("SignIn" in str(found.get("security"))) is route.users, route
    locked = {method for methods in paths.values() for method, found in methods.items() if "security" in found}
    assert "x-amazon-apigateway-any-method" not in locked, "it would take the preflights of browsers"


def test_the_example_for_production_names_nobody_s_domain_and_a_token_beside_the_key():
    example = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
    given = dict(pair.split("=", 1) for pair in example["production"]["deploy"]["parameters"]["parameter_overrides"])
    assert given["ClientTokenName"]
    assert not [value for value in given.values() if "://" in value or "@" in value or "example" in value]


def test_the_role_that_deploys_may_touch_roles_of_its_own_stacks_only():
    policies = [
        json.loads(block) for block in re.findall(r"```json\n(.*?)```", GUIDE.replace("\n   ", "\n"), re.DOTALL)
    ]
    allowed = [
        statement for policy in policies for statement in policy["Statement"] if "iam:" in str(statement["Action"])
    ]
    assert allowed
    names = [example["stack_name"] for example in stacks()]
    for statement in allowed:
        assert all(re.fullmatch(r"iam:\w+", action) for action in statement["Action"]), "none by a pattern"
        assert statement["Resource"] == "arn:aws:iam::ACCOUNT:role/snack-misaki*-Role-*"
        assert all(fnmatch(f"{name}-Role-1A2B", "snack-misaki*-Role-*") for name in names)
    (passed,) = [statement for statement in allowed if "iam:PassRole" in statement["Action"]]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}


def stacks():
    example = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
    return [example[block]["global"]["parameters"] for block in ("default", "production")]


def test_a_vulnerability_that_the_audit_passes_over_is_explained_and_out_of_reach():
    ignored = re.findall(r"--ignore-vuln (\S+)", (ROOT / "infra.mk").read_text("utf-8"))
    assert ignored == ["CVE-2025-69872"]
    assert all(name in GUIDE.partition("## What it is made of")[2].partition("\n## ")[0] for name in ignored)
    assert "DiskCache" not in ENGINE
    assert "diskcache" not in ENGINE


def test_the_function_is_given_variables_that_the_engine_reads():
    variables = FUNCTION["Environment"]["Variables"]
    read = {name for name in variables if f'"{name}"' in ENGINE or f"${{{name}:-}}" in ENTRYPOINT}
    assert read == variables.keys()


def test_secrets_are_references_and_never_parameters():
    variables = FUNCTION["Environment"]["Variables"]
    for name in {*VARIABLES} & variables.keys():
        assert re.fullmatch(r".*'ssm:/\$\{\w+Name\}'.*'secretsmanager:\$\{\w+Name\}'.*", str(variables[name])), name
    assert not {name for name in TEMPLATE["Parameters"] if re.search(r"(Key|Token|Secret|Password)$", name)}


@pytest.mark.parametrize("path", sorted((ROOT / "pipelines").glob("*.yml")), ids=lambda path: path.stem)
def test_lambda_waits_longer_than_any_turn_and_the_api_longer_than_lambda(path):
    deadline = float(str(yaml.safe_load(path.read_text("utf-8"))["deadline"]).removesuffix("s"))
    timeout = TEMPLATE["Parameters"]["Timeout"]
    assert deadline + 2 < timeout["MinValue"] <= timeout["Default"] <= timeout["MaxValue"] < 30


def test_the_role_may_do_what_the_function_does_and_no_more():
    allowed = {action for statement in statements() for action in actions(statement)}
    assert allowed == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "ssm:GetParameter",
        "secretsmanager:GetSecretValue",
        "bedrock:InvokeModel",
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
    }
    anything = [actions(statement) for statement in statements() if statement["Resource"] == "*"]
    assert anything == [{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}]


def test_the_table_is_what_the_store_expects():
    table = RESOURCES["Rooms"]["Properties"]
    (index,) = table["LocalSecondaryIndexes"]
    assert index["IndexName"] == INDEX
    assert index["Projection"]["NonKeyAttributes"] == ["data", "version", "expires"]
    for keys, names in ((table, ["pk", "sk"]), (index, ["pk", "updated"])):
        assert [key["AttributeName"] for key in keys["KeySchema"]] == names
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_every_call_has_a_route():
    paths = RESOURCES["Api"]["Properties"]["DefinitionBody"]["paths"]
    for route in ROUTES:
        known = [path for path in paths if fnmatch(route.path, path.replace("{proxy+}", "*"))]
        assert any({route.method.lower(), "x-amazon-apigateway-any-method"} & paths[path].keys() for path in known)
    cors = RESOURCES["Api"]["Properties"]["CorsConfiguration"]["AllowMethods"]
    assert {route.method for route in ROUTES} <= {*cors}


def test_the_dashboard_and_the_guide_show_every_metric():
    counted = set(re.findall(r'\("(\w+)", "(?:Count|Milliseconds|NoUnit)"', ENGINE))
    assert len(counted) >= 12
    dashboard = str(RESOURCES["Dashboard"]["Properties"]["DashboardBody"])
    watching = GUIDE.partition("**Metrics**")[2]
    assert {name for name in counted if name not in dashboard} <= {"TurnTime"}, "which is Lambda's own Duration there"
    assert {name for name in counted if f"`{name}`" not in watching} == set()


def test_there_is_an_alarm_for_errors_latency_and_throttles():
    alarms = [resource["Properties"] for resource in RESOURCES.values() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    assert {alarm["MetricName"] for alarm in alarms} == {"Errors", "Duration", "Throttles", "5xx"}
    assert all(alarm["AlarmActions"] == [{"Ref": "Alarms"}] for alarm in alarms)


def test_commands_of_the_guide_are_there():
    makefile = "".join((ROOT / name).read_text("utf-8") for name in ("Makefile", "infra.mk"))
    targets = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", GUIDE, re.MULTILINE))
    assert targets
    assert {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()
    files = set(re.findall(r"\b(tools/[\w/]+\.\w+)", GUIDE))
    assert {file for file in files if not (ROOT / file).is_file()} == set()


def test_the_url_for_streams_is_there_where_it_is_asked_for_and_streams():
    url = RESOURCES["StreamUrl"]
    assert (url["Condition"], url["Properties"]["InvokeMode"]) == ("HasStreams", "RESPONSE_STREAM")
    assert FUNCTION["Environment"]["Variables"]["STREAMING"] == {"Ref": "Streaming"}
    rights = [
        one["Properties"] for one in RESOURCES.values() if one.get("Condition") == "HasStreams" and one is not url
    ]
    assert {one["Action"] for one in rights} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert all(one.get("FunctionUrlAuthType") or one.get("InvokedViaFunctionUrl") for one in rights)
