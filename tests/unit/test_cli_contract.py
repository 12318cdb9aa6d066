"""`hune contract` as a person or a pipeline runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from hune.cli.main import main
from hune.cli.output import to_yaml
from hune.contract.report import ContractReport
from hune.controlplane.api.modeldeployment import ModelDeploymentSpec

TRAIN = """\
income,debt,colour,member,age,label
60000,5000.5,red,true,,1
24000,19000,green,False,31,0
32000,1e-5,red,true,44,1
"""
ROOT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def train(tmp_path: Path) -> Path:
    file = tmp_path / "train.csv"
    file.write_text(TRAIN)
    return file


@pytest.fixture
def contract(train: Path, capsys: Capture) -> Path:
    assert main(["contract", "infer", str(train), "--without", "label"]) == 0
    file = train.with_name("contract.yaml")
    file.write_text(capsys.readouterr().out)
    return file


def check(data: Path, contract: Path, *more: str) -> int:
    return main(["contract", "check", str(data), "--contract", str(contract), *more])


def test_what_is_inferred_is_ready_to_paste(contract: Path) -> None:
    block = yaml.safe_load(contract.read_text())
    assert block["contract"]["features"] == [
        {"name": "income", "type": "Integer", "minimum": "24000", "maximum": "60000"},
        {"name": "debt", "type": "Float", "minimum": "1e-05", "maximum": "19000"},
        {"name": "colour", "type": "Category", "categories": ["green", "red"]},
        {"name": "member", "type": "Boolean"},
        {"name": "age", "type": "Integer", "minimum": "31", "maximum": "44", "nullable": True},
    ]
    assert block["contract"]["onBreach"] == "Flag"
    ModelDeploymentSpec.model_validate({"model": {"version": "a"}, **block})
    # A reader of YAML 1.2, as the API server has, takes a bare 1e-05 for a number.
    assert "minimum: '1e-05'" in contract.read_text()


def test_options_widen_ranges_and_bound_categories(train: Path, capsys: Capture) -> None:
    options = ("--margin", "0.5", "--categories-at-most", "1", "--output", "json")
    assert main(["contract", "infer", str(train), *options]) == 0
    features = json.loads(capsys.readouterr().out)["contract"]["features"]
    assert features[0] == {
        "name": "income",
        "type": "Integer",
        "minimum": "6000",
        "maximum": "78000",
    }
    assert features[2] == {"name": "colour", "type": "Text"}


def test_the_data_keeps_its_own_contract(train: Path, contract: Path, capsys: Capture) -> None:
    assert check(train, contract, "--without", "label") == 0
    assert capsys.readouterr().out == f"{train}: 3 rows keep the contract\n"


def test_breaches_are_told_and_counted(train: Path, contract: Path, capsys: Capture) -> None:
    broken = train.with_name("new.csv")
    broken.write_text(TRAIN.replace("24000", "-1").replace("green", "blue").replace("31", "x"))
    assert check(broken, contract) == 1
    out = capsys.readouterr().out
    assert "new.csv: 3 rows, 4 breaches of the contract" in out
    wanted = "wanted is a whole number from 24000 to 60000"
    assert f"row 1, 'income': -1 is below the minimum; {wanted}" in out
    assert "'blue' is an unknown category; wanted is one of green, red" in out
    assert "'x' is of the wrong type" in out
    assert "column 'label' is not in the contract" in out
    assert check(broken, contract, "--maximum-breaches", "4", "--examples", "0") == 0
    assert "for example" not in capsys.readouterr().out


def test_a_pipeline_reads_json_and_the_termination_message(
    train: Path, contract: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = train.with_name("termination-log")
    monkeypatch.setenv("HUNE_TERMINATION_LOG", str(place))
    assert check(train, contract, "--output", "json", "--termination-log") == 1
    report = ContractReport.from_json(capsys.readouterr().out)
    assert report is not None
    assert (report.rows, report.breaches) == (3, 1)
    assert ContractReport.from_json(place.read_text()) == report


def test_a_termination_message_that_cannot_be_left_hinders_nothing(
    train: Path, contract: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUNE_TERMINATION_LOG", str(train.parent))
    assert check(train, contract, "--without", "label", "--termination-log") == 0
    assert "--termination-log" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["deployment", "block", "features", "standard input"])
def test_a_contract_comes_in_several_forms(
    train: Path, contract: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = yaml.safe_load(contract.read_text())
    deployment = {"kind": "ModelDeployment", "metadata": {"name": "a"}, "spec": block}
    service = {"kind": "Service", "spec": {}}
    documents: dict[str, list[Any]] = {
        "deployment": [service, deployment, None],
        "features": [block["contract"]],
    }
    contract.write_text(yaml.safe_dump_all(documents.get(form, [block])))
    if form != "standard input":
        assert check(train, contract, "--without", "label") == 0
        return
    with contract.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert check(train, Path("-"), "--without", "label") == 0


def test_other_delimiters_and_words_for_null(train: Path, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "other.csv"
    file.write_text("\ufeffa;b\r\n1;NA\r\n\r\n?;2\r\n", encoding="utf-8")
    options = ("--delimiter", ";", "--null", "NA", "--null", "?", "--output", "json")
    assert main(["contract", "infer", str(file), *options]) == 0
    bounds = {"type": "Integer", "nullable": True}
    assert json.loads(capsys.readouterr().out)["contract"]["features"] == [
        {"name": "a", "minimum": "1", "maximum": "1"} | bounds,
        {"name": "b", "minimum": "2", "maximum": "2"} | bounds,
    ]
    assert main(["contract", "infer", str(train), "--delimiter", ";;"]) == 2
    assert "--delimiter ';;': one character is wanted" in capsys.readouterr().err


def test_many_parts_are_one_file(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "long.csv"
    file.write_text("a,b\n" + "".join(f"{row},x{row % 3}\n" for row in range(30_000)))
    assert main(["contract", "infer", str(file)]) == 0
    contract = tmp_path / "contract.yaml"
    contract.write_text(capsys.readouterr().out.replace("'29999'", "'29998'"))
    assert check(file, contract) == 1
    assert "row 29999, 'a': 29999 is above the maximum" in capsys.readouterr().out


def test_parquet_keeps_its_types(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "data.parquet"
    columns = {"a": [1.5, None], "b": [1, 2], "c": ["1", "x"], "d": [True, None], "e": ["1", "2"]}
    parquet.write_table(pa.table(columns), file)
    assert main(["contract", "infer", str(file)]) == 0
    contract = tmp_path / "contract.yaml"
    contract.write_text(capsys.readouterr().out)
    features = yaml.safe_load(contract.read_text())["contract"]["features"]
    types = ["Float", "Integer", "Category", "Boolean", "Category"]
    assert [feature["type"] for feature in features] == types
    assert check(file, contract) == 0
    parquet.write_table(pa.table(columns | {"b": ["1", "2"]}), file)
    assert check(file, contract) == 1
    assert "'b': '1' is of the wrong type" in capsys.readouterr().out


def test_parquet_without_its_reader_says_what_to_install(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["contract", "infer", str(tmp_path / "a.parquet")]) == 2
    assert "pip install pyarrow" in capsys.readouterr().err


def test_without_numpy_it_says_what_to_install(
    train: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert main(["contract", "infer", str(train)]) == 2
    assert "pip install 'hune[cli]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "it is empty", id="nothing"),
        pytest.param(b"\n\n", "it is empty", id="empty lines"),
        pytest.param(b"a,b\n", "it holds no rows", id="a header alone"),
        pytest.param(b"a,b\n1,2\n3\n", "line 3 has 1 cells, the header has 2", id="a short row"),
        pytest.param(b"a,b\n1,2,3\n", "line 2 has 3 cells, the header has 2", id="a long row"),
        pytest.param(b"a,\n1,2\n", "column 2 has no name", id="a column without a name"),
        pytest.param(b"a,b,a\n1,2,3\n", "names column 'a' 2 times", id="a name twice"),
        pytest.param(b"a\n\xff\xfe\n", "is not UTF-8", id="another encoding"),
        pytest.param("a\n1\n".encode("utf-16"), "is not UTF-8", id="UTF-16"),
        pytest.param(b"a\n1\0\n", "line 2 holds a NUL character", id="NUL"),
        pytest.param(b"\x7fELF\x02\0\0", "holds a NUL character", id="a program"),
        pytest.param(b'a\n"1"2\n', "line 2: ',' expected after '\"'", id="a quote within"),
        pytest.param(b'a\n"1\n2\n', "unexpected end of data", id="an open quote"),
        pytest.param(b'a\n"' + b"x" * 200_000, "field larger than", id="a long cell"),
        pytest.param(b"x" * (17 << 20), "a row is longer than 16 MiB", id="one long line"),
        pytest.param(
            b'"' + b"x\n" * (9 << 20), "field larger than", id="an open quote in a long file"
        ),
        pytest.param(
            b"a" + b",a" * 100_000 + b"\n", "100001 columns are more than", id="100 000 columns"
        ),
        pytest.param(b"a\nb\x1b[2J\n" + b"1,2\n", "line 3 has 2 cells", id="control characters"),
    ],
)
def test_hostile_data_is_told_in_one_line(
    tmp_path: Path, contract: Path, capsys: Capture, content: bytes, said: str
) -> None:
    file = tmp_path / "hostile.csv"
    file.write_bytes(content)
    for command in (["infer"], ["check", "--contract", str(contract)]):
        assert main(["contract", *command, str(file)]) == 2
        answer = capsys.readouterr()
        assert said in answer.err
        assert "hostile.csv" in answer.err
        assert answer.out == ""
        assert answer.err.count("\n") == 1
        assert len(answer.err) < 500


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([f"c{number}" for number in range(1001)], "a contract holds at most 1000 columns"),
        (["x" * 129], "at most 128 characters"),
        (["a\x07b"], "no control character"),
    ],
)
def test_what_no_contract_can_say_is_told(
    tmp_path: Path, capsys: Capture, names: list[str], said: str
) -> None:
    file = tmp_path / "wide.csv"
    file.write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    assert main(["contract", "infer", str(file)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds neither a contract nor"),
        ("kind: ModelDeployment\nspec: {}", "holds neither a contract nor"),
        ("[1, 2]", "holds neither a contract nor"),
        ("features: [", "not YAML"),
        ("[" * 10_000, "not YAML"),
        ("a: \xff", "not YAML"),
        ("features: [{name: a, type: Float, minimum: 1.5}]", "contract.features.0.minimum"),
        ("features: [{name: a, type: Double}]", "contract.features.0.type"),
        ("contract: 7", "contract"),
        ("features: []\n---\nfeatures: []", "holds 2 contracts"),
        ("a: 2026-99-99", "not YAML"),
    ],
)
def test_a_contract_that_is_none_is_told(
    train: Path, capsys: Capture, text: str, said: str
) -> None:
    file = train.with_name("bad.yaml")
    file.write_bytes(text.encode("latin-1"))
    assert check(train, file) == 2
    answer = capsys.readouterr()
    assert said in answer.err
    assert "bad.yaml" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["infer", "none.csv"], "none.csv: No such file or directory"),
        (["infer", "."], "Is a directory"),
        (["infer", "none.parquet"], "none.parquet"),
        (["infer", "train.csv", "--margin", "-1"], "--margin -1.0"),
        (["infer", "train.csv", "--margin", "nan"], "--margin nan"),
        (["infer", "train.csv", "--categories-at-most", "101"], "0 to 100 is wanted"),
        (["infer", "train.csv", "--without", "x"], "--without x: train.csv has no such column"),
        (["check", "train.csv", "--contract", "none.yaml"], "--contract none.yaml"),
        (["check", "train.csv", "--contract", "-", "--examples", "-1"], "--examples"),
    ],
)
@pytest.mark.usefixtures("train")
def test_a_wrong_argument_is_named(
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["contract", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_it_runs_as_a_program_of_its_own(train: Path, contract: Path) -> None:
    command = [sys.executable, "-m", "hune.cli.main", "contract", "check", str(train)]
    done = subprocess.run(
        [*command, "--contract", "-", "--without", "label"],
        input=contract.read_bytes(),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"3 rows keep the contract\n")


@pytest.mark.parametrize("text", ["1e-5", "1e5", "0o17", ".5", "+1", "12e03", "5.", "1_0", "~"])
def test_a_text_that_some_parser_takes_for_a_number_is_quoted(text: str) -> None:
    assert to_yaml([{"a": text}]) == f"a: '{text}'\n"
    for word in (f"{text}x", "10m", "7c1f7a5e-0000"):
        assert "'" not in to_yaml([{"a": word}])
