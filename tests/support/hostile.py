"""Bodies of predictions that no honest client sends, and what each must be told."""

import json
import struct
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Body:
    """One body.

    Attributes:
        reason: What is wrong with it.
        protocol: `V1` or `V2`.
        sent: The body.
        said: What the refusal must say.
        json_length: Length of the JSON part where binary tensors follow.
    """

    reason: str
    protocol: str
    sent: bytes
    said: str
    json_length: int | None = None


def v2(reason: str, said: str, **given: Any) -> Body:
    """Return a request with one input that is right but for what is given."""
    tensor = {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]} | given
    tensor = {key: value for key, value in tensor.items() if value is not ...}
    return Body(reason, "V2", json.dumps({"inputs": [tensor]}).encode(), said)


def text(reason: str, sent: str | bytes, said: str, protocol: str = "V2") -> Body:
    return Body(reason, protocol, sent if isinstance(sent, bytes) else sent.encode(), said)


def data(reason: str, sent: str, said: str, datatype: str = "FP32", shape: str = "[2]") -> Body:
    """Return a request whose data is this text."""
    tensor = f'{{"name":"x","shape":{shape},"datatype":"{datatype}","data":{sent}}}'
    return text(reason, f'{{"inputs":[{tensor}]}}', said)


def raw(
    reason: str, said: str, sent: bytes, size: Any, datatype: str = "FP32", shape: Any = (2,)
) -> Body:
    """Return a request with one binary tensor."""
    parameters = {"binary_data_size": size}
    tensor = {"name": "x", "shape": shape, "datatype": datatype, "parameters": parameters}
    head = json.dumps({"inputs": [tensor]}).encode()
    return Body(reason, "V2", head + sent, said, len(head))


def instances(reason: str, sent: str, said: str) -> Body:
    return text(reason, f'{{"instances":{sent}}}', said, "V1")


def columns(reason: str, sent: str, said: str) -> Body:
    return text(reason, f'{{"inputs":{sent}}}', said, "V1")


# An object that lacks its last brace, and is right for both protocols.
GOOD = b'{"inputs":[{"name":"x","shape":[0],"datatype":"INT8","data":[]}]'
NOT_JSON = [
    text(f"{reason} ({protocol})", sent, said, protocol)
    for protocol in ("V1", "V2")
    for reason, sent, said in [
        ("nothing", b"", "it is empty"),
        ("a space", b" ", "not a JSON object"),
        ("half an object", b'{"inputs":', "truncated"),
        ("a list", b"[]", "array"),
        ("a text", b'"inputs"', "str"),
        ("a number", b"1", "int"),
        ("null", b"null", "null"),
        ("two objects", GOOD + b"}{}", "trailing"),
        ("bytes behind it", GOOD + b"}\x00", "trailing"),
        ("a byte order mark", b"\xef\xbb\xbf{}", "byte 0"),
        ("UTF-16", '{"inputs":[]}'.encode("utf-16"), "UTF-8"),
        ("a NUL", b'{"inputs":[\x00]}', "byte 11"),
        ("a comment", GOOD + b" /* so */}", "malformed"),
        ("a trailing comma", GOOD + b",}", "trailing comma"),
        ("single quotes", b"{'inputs':[]}", "byte 1"),
        ("a bare key", b"{inputs:[]}", "byte 1"),
        ("NaN", b'{"inputs":[NaN],"instances":[NaN]}', "null is"),
        ("Infinity", b'{"inputs":[Infinity],"instances":[Infinity]}', "null is"),
        ("minus Infinity", b'{"inputs":[-Infinity],"instances":[-Infinity]}', "null is"),
        ("a number with a plus", b'{"inputs":[+1],"instances":[+1]}', "byte 11"),
        ("a number with a leading zero", b'{"inputs":[01],"instances":[01]}', "malformed"),
        ("a hexadecimal number", GOOD + b',"a":0x1}', "malformed"),
        ("a number without a fraction", b'{"inputs":[1.],"instances":[1.]}', "malformed"),
        ("a bomb of arrays", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
        ("a bomb of objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "too deeply"),
        ("an unclosed bomb", b'{"a":' + b"[" * 100_000, "too deeply"),
        ("a broken escape", b'{"\\x":1}', "escape"),
        ("a lone surrogate", GOOD + b',"\\ud800":1}', "truncated"),
    ]
]
ENVELOPES = [
    text("no inputs", "{}", "required field inputs"),
    text("V1's word", '{"instances":[[1]]}', "required field inputs"),
    text("a misspelled word", '{"Inputs":[]}', "required field inputs"),
    text("inputs of another type", '{"inputs":{}}', "inputs: expected array"),
    text("inputs as a number", '{"inputs":1}', "inputs: expected array"),
    text("inputs that are null", '{"inputs":null}', "inputs: expected array"),
    text("no input", '{"inputs":[]}', "inputs: expected array of length >= 1"),
    text("an input that is a number", '{"inputs":[1]}', "inputs[0]: expected object"),
    text("an input that is null", '{"inputs":[null]}', "inputs[0]: expected object"),
    text("an input that is a list", '{"inputs":[[1]]}', "inputs[0]: expected object"),
    text("an empty input", '{"inputs":[{}]}', "inputs[0]: object missing required field"),
    text(
        "more inputs than anyone has",
        json.dumps(
            {"inputs": [{"name": "x", "shape": [0], "datatype": "FP32", "data": []}] * 20_000}
        ),
        "inputs: expected array of length <= 16384",
    ),
    text("a flood of braces", '{"inputs":[' + "{}," * 200_000 + "{}]}", "inputs: may be"),
    text(
        "the same name twice",
        json.dumps({"inputs": [{"name": "x", "shape": [1], "datatype": "INT8", "data": [1]}] * 2}),
        "inputs[1].name: x is another",
    ),
    text(
        "the same name in another spelling",
        '{"inputs":[{"name":"x","shape":[0],"datatype":"INT8","data":[]},'
        '{"name":"\\u0078","shape":[0],"datatype":"INT8","data":[]}]}',
        "inputs[1].name: x is another",
    ),
    v2("no name", "inputs[0]: object missing required field name", name=...),
    v2("an empty name", "inputs[0].name: expected str of length >= 1", name=""),
    v2("a name that is a number", "inputs[0].name: expected str, got int", name=1),
    v2("a name that is null", "inputs[0].name: expected str, got null", name=None),
    v2("a name that is a list", "inputs[0].name: expected str, got array", name=["x"]),
    v2("no shape", "inputs[0]: object missing required field shape", shape=...),
    v2("no datatype", "inputs[0]: object missing required field datatype", datatype=...),
    v2("no data", "inputs[0].data: is missing", data=...),
    v2("parameters that are a list", "inputs[0].parameters: expected object", parameters=[]),
    v2("parameters that are a text", "inputs[0].parameters: expected object", parameters="x"),
    v2("data and a binary tensor", "has both data and", parameters={"binary_data_size": 8}),
    v2(
        "a binary tensor without its header",
        "binary_data_size: 8, but the body has only 0 bytes left",
        data=...,
        parameters={"binary_data_size": 8},
    ),
]
DATATYPE = [
    v2(f"the datatype {name!r}", f"inputs[0].datatype: {name[:40]}", datatype=name)
    for name in (
        *("", "FP8", "FP128", "INT", "INT128", "UINT", "STRING", "fp32", "FP32 ", "float32"),
        *("OBJECT", "__class__", "../../etc/passwd", "FP32\n", "F" * 5000, "MIXED"),
    )
] + [
    v2("a datatype that is a number", "inputs[0].datatype: expected str", datatype=32),
    v2("a datatype that is null", "inputs[0].datatype: expected str", datatype=None),
    v2("a datatype that is an object", "inputs[0].datatype: expected str", datatype={}),
]
_SHAPE_SAID = "inputs[0].shape: must be an array of at most 32"
_NO_SHAPES: list[Any] = [
    *([-1], [2, -1], [-(2**63)], [1.5], ["2"], [True], [None], [[2]], [{}]),
    *("2", 2, None, {}, {"0": 2}, True, [1] * 33, [1] * 100_000),
]
SHAPES = [v2(f"the shape {str(shape)[:20]}", _SHAPE_SAID, shape=shape) for shape in _NO_SHAPES] + [
    v2(f"the shape {str(shape)[:24]} of two values", f"{places} places, but", shape=shape)
    for shape, places in [
        ([], "1"),
        ([0], "0"),
        ([1], "1"),
        ([3], "3"),
        ([2, 2], "4"),
        ([2, 0], "0"),
        ([2**31], "2147483648"),
        ([2**32, 2**31], "9223372036854775808"),
        ([2**32, 2**32], "more than 2^64"),
        ([2**63, 2], "more than 2^64"),
        ([2**64 + 2], "more than 2^64"),
        ([2**32, 2**32, 2], "more than 2^64"),
        ([10**30], "more than 2^64"),
        ([10**300] * 3, "more than 2^64"),
        ([2**20] * 32, "more than 2^64"),
    ]
]
DATA = [
    data("data that is a number", "1", "inputs[0].data: must be an array"),
    data("data that is null", "null", "inputs[0].data: must be an array"),
    data("data that is a text", '"[1,2]"', "inputs[0].data: must be an array"),
    data("data that is an object", '{"0":1,"1":2}', "inputs[0].data: must be an array"),
    data("data that is true", "true", "inputs[0].data: must be an array"),
    data("no values", "[]", "2 places, but data has 0"),
    data("too few values", "[1]", "2 places, but data has 1"),
    data("too many values", "[1,2,3]", "2 places, but data has 3"),
    data("another nesting", "[[1,2]]", "nested as [1, 2], but the shape is [2]"),
    data("the nesting turned", "[[1,2],[3,4],[5,6]]", "nested as [3, 2]", shape="[2,3]"),
    data("rows of different lengths", "[[1],[2,3]]", "is ragged", shape="[3]"),
    data("rows and values", "[[1,2],3,4]", "is ragged", shape="[2,2]"),
    data("values and rows", "[1,2,[3,4]]", "is ragged", shape="[2,2]"),
    data("an empty row", "[[1,2],[]]", "is ragged", shape="[2,1]"),
    data("holes", "[[],[1]]", "is ragged", shape="[2,1]"),
    data("rows of different depth", "[[[1],[2]],[3,4]]", "is ragged", shape="[4]"),
    data("rows that end at different depth", "[[[1,2],[3,4]],[5,6]]", "is ragged", shape="[6]"),
    data("a row of a row in one of two", "[[1],[[2]]]", "is ragged"),
    data("33 axes", "[" * 33 + "1" + "]" * 33, "more than 32 deep", shape="[1]"),
    data("900 axes", "[" * 900 + "1" + "]" * 900, "more than 32 deep", shape="[1]"),
    data("texts nested 900 deep", "[" * 900 + "]" * 900, "32 deep", "BYTES", "[0]"),
    data(
        "a text among numbers",
        '[1,"2"]',
        'data[1]: must be a number or null that fits FP32, not "2"',
    ),
    data("true among numbers", "[1,true]", "data[1]: must be a number or null"),
    data("an object among numbers", "[1,{}]", "data[1]: must be a number or null"),
    data("an object in a row", '[[1],[{"a":[2]}]]', "holds texts or objects", shape="[2,1]"),
    data("rows in an object", '[{"a":[{"b":[]}]}]', "data: holds texts or objects", shape="[1]"),
    data("a bracket in a key", '[{"":[{"b[":[]}]}]', "data: holds texts or objects", shape="[1]"),
    data(
        "a long object behind many numbers",
        "[" + "0," * 40_000 + '{"' + "a,[]" * 40_000 + '":0}]',
        "holds texts or objects",
        shape="[40001]",
    ),
    data(
        "a long text behind many numbers",
        "[" + "0," * 40_000 + '"' + "a,b" * 40_000 + '"]',
        "holds texts or objects",
        shape="[40001]",
    ),
    data("a text that looks like a row", '[1,"]"]', "data[1]: must be a number or null"),
    data("a nested text that looks like a row", '[[1],["]["]]', "holds texts", shape="[2,1]"),
    data("a huge exponent", "[1,1e999]", "data[1]: must be a number or null that fits FP32"),
    data("a huge negative exponent's inverse", "[-1e400,1]", "data[0]: must be a number"),
    data("more digits than a double has", f"[1,{'9' * 400}]", "data[1]: must be a number"),
    data("beyond FP32", "[1,3.5e38]", "data[1]: must be a number or null that fits FP32"),
    data("beyond FP32 below", "[-1e39,1]", "data[0]: must be a number or null that fits FP32"),
    data("beyond FP16", "[1,65520]", "that fits FP16, not 65520", "FP16"),
    data("beyond BF16", "[1,3.5e38]", "that fits BF16, not 3.5e38", "BF16"),
    data("beyond FP64", "[1,2e308]", "data[1]: must be a number or null that fits FP64", "FP64"),
    data("a number among booleans", "[true,1]", "data[1]: must be true or false", "BOOL"),
    data("null among booleans", "[true,null]", "data[1]: must be true or false", "BOOL"),
    data("a text among booleans", '["true",true]', "data[0]: must be true or false", "BOOL"),
    data("a number among texts", '["a",1]', "data[1]: must be a text, not 1", "BYTES"),
    data("null among texts", '["a",null]', "data[1]: must be a text, not null", "BYTES"),
    data("an object among texts", '["a",{"b64":""}]', "data[1]: must be a text", "BYTES"),
    data("ragged texts", '[["a"],["b","c"]]', "is ragged", "BYTES"),
    data("a text and a row of texts", '["a",["b"]]', "is ragged", "BYTES"),
    data("texts that are not nested", '"ab"', "must be an array", "BYTES"),
    data("half a character", '["a","\\ud800"]', "truncated", "BYTES"),
    data(
        "more texts than fit memory",
        "[" + '"",' * 600_000 + '""]',
        "more than 524288 values",
        "BYTES",
        "[600001]",
    ),
    data(
        "more numbers than fit memory",
        "[" + "0," * (1 << 22) + "0]",
        "send a binary tensor",
        "FP64",
        "[4194305]",
    ),
    data(
        "a misfit far into many numbers",
        "[" + "0," * 99_999 + "1e39]",
        "data[99999]: must be",
        shape="[100000]",
    ),
    data("a hole far into many rows", "[" + "[0]," * 99_999 + "[]]", "ragged", shape="[100000,1]"),
] + [
    data(f"{value} as {name}", f"[1,{value}]", f"that fits {name}, not {value[:40]}", name)
    for name, low, high in [
        ("INT8", -(2**7), 2**7),
        ("INT16", -(2**15), 2**15),
        ("INT32", -(2**31), 2**31),
        ("INT64", -(2**63), 2**63),
        ("UINT8", 0, 2**8),
        ("UINT16", 0, 2**16),
        ("UINT32", 0, 2**32),
        ("UINT64", 0, 2**64),
    ]
    for value in (str(low - 1), str(high), "1.5", "null", "true", '"1"', "9" * 60)
]
FOUR = struct.pack("<f", 1.0)
BINARY = [
    raw("fewer bytes than said", "8, but the body has only 4 bytes left", FOUR, 8),
    raw("no bytes", "8, but the body has only 0 bytes left", b"", 8),
    raw("more bytes than said", "4 bytes more than", FOUR * 3, 8),
    raw("a size below the shape", "4 bytes, but shape and datatype need 2 times 4", FOUR, 4),
    raw("a size above the shape", "12 bytes, but shape and datatype need", FOUR * 3, 12),
    raw("a size of half an element", "6 bytes, but shape", FOUR + b"\0\0", 6),
    raw("no size for a shape", "0 bytes, but shape", b"", 0),
    raw("a size for no shape", "4 bytes, but shape and datatype need 0", FOUR, 4, shape=[0]),
    raw("a negative size", "binary_data_size: expected int >= 0", FOUR, -4),
    raw("a size that is a text", "binary_data_size: expected int", FOUR, "8"),
    raw("a size with a fraction", "binary_data_size: expected int", FOUR, 8.5),
    raw("a size that is true", "binary_data_size: expected int", FOUR, size=True),
    raw("a size that is a list", "binary_data_size: expected int", FOUR, [8]),
    raw("a size beyond 64 bits", "has only 4 bytes left", FOUR, 2**64),
    raw("a size of a terabyte", "has only 8 bytes left", FOUR * 2, 2**40),
    raw("a size of no number", "binary_data_size", FOUR, 10**400),
    raw("a shape of a terabyte", f"need {2**40} times 4", FOUR * 2, 8, shape=[2**40]),
    raw("a shape that wraps to 2", "more than 2^64 times 4", FOUR * 2, 8, shape=[2**64 + 2]),
    raw("a shape that wraps to 0", "more than 2^64 times 4", b"", 0, shape=[2**32, 2**32]),
    raw("a negative shape", _SHAPE_SAID, FOUR * 2, 8, shape=[-2]),
    raw("two negative axes", _SHAPE_SAID, FOUR * 2, 8, shape=[-1, -2]),
    raw("an unknown datatype", "datatype: FP8 is unknown", FOUR * 2, 8, "FP8"),
    raw("a BOOL of 2", "neither 0 nor 1", b"\x01\x02", 2, "BOOL"),
    raw("a BOOL of 255", "neither 0 nor 1", b"\xff\x00", 2, "BOOL"),
    raw("FP64 in bytes of FP32", "8 bytes, but shape", FOUR * 2, 8, "FP64"),
    raw("BF16 in bytes of FP32", "8 bytes, but shape", FOUR * 2, 8, "BF16"),
    raw("BYTES without lengths", "cannot hold 2 elements", b"ab", 2, "BYTES"),
    raw("BYTES of too few elements", "beyond the tensor's end", b"\4\0\0\0abcd", 8, "BYTES"),
    raw("BYTES longer than the tensor", "beyond", b"\xff\xff\xff\xff" * 2, 8, "BYTES"),
    raw("BYTES one too long", "beyond", b"\0\0\0\0\1\0\0\0", 8, "BYTES"),
    raw("BYTES with a rest", "elements end at 8", b"\0" * 9, 9, "BYTES"),
    raw("BYTES with half a length", "beyond", b"\2\0\0\0ab\0\0\0", 9, "BYTES"),
    raw("BYTES of a huge shape", "cannot hold", b"\0" * 8, 8, "BYTES", [2**62]),
    raw("BYTES of no shape", "elements end at 0", b"\0" * 8, 8, "BYTES", [0]),
    raw("too many BYTES", "524288 may", b"\0" * 2_400_000, 2_400_000, "BYTES", [600_000]),
    Body("JSON that ends too early", "V2", b'{"inputs":[]}', "truncated", 5),
    Body("no JSON at all", "V2", FOUR, "it is empty", 0),
    Body("a binary tensor in the JSON", "V2", FOUR + b"{}", "not a JSON object", 6),
    Body(
        "JSON and bytes of nobody",
        "V2",
        data("", "[1,2]", "").sent + FOUR,
        "4 bytes more",
        len(data("", "[1,2]", "").sent),
    ),
]
V1 = [
    text("neither word", "{}", 'either "instances" or "inputs"', "V1"),
    text("V1 in capitals", '{"Instances":[]}', 'either "instances" or "inputs"', "V1"),
    text("both words", '{"instances":[],"inputs":[]}', "and not both", "V1"),
    instances("instances as a number", "1", "instances: must be an array"),
    instances("instances as null", "null", "instances: must be an array"),
    instances("instances as a text", '"[[1]]"', "instances: must be an array"),
    instances("instances as an object", '{"a":[1]}', "instances: must be an array"),
    instances("ragged rows", "[[1,2],[3]]", "instances: is ragged"),
    instances("ragged rows of texts", '[["a","b"],["c"]]', "instances: is ragged"),
    instances("rows and values", "[[1],2]", "instances: is ragged"),
    instances("values and rows", '["a",["b"]]', "instances: is ragged"),
    instances("33 axes", "[" * 33 + "]" * 33, "more than 32 deep"),
    instances("33 axes of texts", "[" * 33 + '"a"' + "]" * 33, "more than 32 deep"),
    instances("a row that is no object", '[{"a":1},2]', "instances[1]: must be an object"),
    instances("a first row that is no object", '[2,{"a":1}]', "instances[0]: must be an object"),
    instances("a row without a key", '[{"a":1,"b":2},{"a":1}]', "instances[1].b: is missing"),
    instances("a row with one more key", '[{"a":1},{"a":1,"b":2}]', "instances[0].b: is missing"),
    instances("rows of other keys", '[{"a":1},{"b":2}]', "is missing"),
    instances("an empty row", '[{"a":1},{}]', "instances[1].a: is missing"),
    instances("an object in a value", '[{"a":{"b":1}}]', "instances[*].a: holds an object"),
    instances("an object in a row", '[[{"b":1}]]', "instances: holds an object"),
    instances("a value that is ragged", '[{"a":[1]},{"a":[1,2]}]', "instances[*].a: is ragged"),
    instances("no base64", '[{"a":{"b64":"a"}}]', "is not base64"),
    instances("base64 with a space", '[{"b64":"aG k="}]', "is not base64"),
    instances("base64 beyond ASCII", '[{"b64":"ä"}]', "is not base64"),
    instances("base64 of a number", '[{"b64":1}]', "in place of a value"),
    instances("base64 with more", '[{"a":{"b64":"","c":1}}]', "in place of a value"),
    instances("a huge number", "[[1e999]]", "must be a number or null"),
    instances("a number of 400 digits", f"[[{'9' * 400}]]", "must be a number or null"),
    instances("a huge number among texts", '[["a",1e999]]', "instances: Number out of range"),
    instances("a million texts", "[" + '"",' * 999_999 + '""]', "more than 524288 values"),
    instances("a million rows", "[" + "{}," * 999_999 + "{}]", "more than 524288 values"),
    instances("many numbers", "[" + "0," * (1 << 22) + "0]", "4194304 may be sent in JSON"),
    instances("half a character", '["\\ud800"]', "truncated"),
    columns("inputs as a number", "1", "inputs: must be an array"),
    columns("inputs as null", "null", "inputs: must be an array"),
    columns("a column that is a number", '{"a":1}', "inputs.a: must be an array"),
    columns("a column that is an object", '{"a":{"b":[1]}}', "inputs.a: must be an array"),
    columns("a column that is null", '{"a":null}', "inputs.a: must be an array"),
    columns("a ragged column", '{"a":[[1],[1,2]]}', "inputs.a: is ragged"),
    columns("a column with a huge number", '{"a":[1e999]}', "inputs.a[0]: must be a number"),
    columns("no base64 in a column", '{"a":[{"b64":"?"}]}', "inputs.a: ? is not base64"),
    columns("a flood of columns", "{" + '"a":[],' * 300_000 + '"a":[]}', "more than 16384 columns"),
]
BODIES = [*NOT_JSON, *ENVELOPES, *DATATYPE, *SHAPES, *DATA, *BINARY, *V1]
