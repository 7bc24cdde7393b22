#!/usr/bin/env bash
# dynamodb-json 1.4.2 with boto3 1.44.5 (PyPI).
#
# It reads the JSON of DynamoDB from the inside to the outside, and any map with a key that is the
# name of a type is taken for a value of that type. Attributes may have such names: a stock by
# size, with S, M and L, becomes the text '3', and the two other numbers are gone. What the library
# itself wrote is read back so, too. Besides:
#   - a number in scientific form, which DynamoDB allows, stays {'N': '1E3'}, without an error;
#   - a text that looks like a time becomes a datetime, and numbers with a fraction become floats,
#     although DynamoDB keeps 38 digits.
# boto3's TypeDeserializer, for comparison, reads the same from the outside.
#
# Seen on 2026-11-29:
#   stock '3'
#   stock, written and read again '3'
#   stock, by boto3 {'S': Decimal('3'), 'M': Decimal('5'), 'L': Decimal('1')}
#   limit {'N': '1E3'}
#   price 1.2345678901234567e+19
#   note datetime.datetime(2026, 1, 2, 3, 4, 5, 600000)
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q "dynamodb-json==1.4.2" "boto3==1.44.5"
cat > read.py <<'PYTHON'
import json

from boto3.dynamodb.types import TypeDeserializer
from dynamodb_json import json_util

stock = {"M": {"S": {"N": "3"}, "M": {"N": "5"}, "L": {"N": "1"}}}
image = {
    "stock": stock,
    "limit": {"N": "1E3"},
    "price": {"N": "12345678901234567890.12345"},
    "note": {"S": "2026-01-02T03:04:05.6"},
}
read = json_util.loads(json.dumps(image))
print("stock", repr(read["stock"]))
again = json_util.loads(json_util.dumps({"stock": {"S": 3, "M": 5, "L": 1}}))
print("stock, written and read again", repr(again["stock"]))
print("stock, by boto3", TypeDeserializer().deserialize(stock))
for name in ("limit", "price", "note"):
    print(name, repr(read[name]))
PYTHON
env/bin/python read.py | tee seen
diff seen - <<'SEEN'
stock '3'
stock, written and read again '3'
stock, by boto3 {'S': Decimal('3'), 'M': Decimal('5'), 'L': Decimal('1')}
limit {'N': '1E3'}
price 1.2345678901234567e+19
note datetime.datetime(2026, 1, 2, 3, 4, 5, 600000)
SEEN
