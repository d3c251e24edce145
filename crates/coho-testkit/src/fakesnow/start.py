"""Starts fakesnow with functions that Snowflake has and it has not, as Snowflake's documentation describes them.

MD5_NUMBER_UPPER64 and MD5_NUMBER_LOWER64 are the halves of a digest, and TO_NUMBER reads hexadecimal digits by a format of `X`.
"""

import sys

from sqlglot import exp

import fakesnow.cli
import fakesnow.macros
import fakesnow.transforms


def with_digests(creation_sql):
    def creation(catalog):
        halves = "; ".join(
            # The parser takes the name apart so.
            f"CREATE OR REPLACE MACRO {catalog}.m_d5_number_{half}64(x) AS ('0x' || {side}(md5(x), 16))::UBIGINT::DECIMAL(38, 0)"
            for half, side in (("upper", "left"), ("lower", "right"))
        )
        return f"{creation_sql(catalog)}; {halves};"

    return creation


def with_hexadecimals(to_decimal):
    def transform(expression):
        if isinstance(expression, exp.ToNumber):
            form = expression.args.get("format")
            if form is not None and set(form.name) == {"X"}:
                digits = exp.Concat(expressions=[exp.Literal.string("0x"), expression.this])
                whole = exp.Cast(this=digits, to=exp.DataType.build("UBIGINT", dialect="duckdb"))
                return exp.Cast(this=whole, to=exp.DataType.build("DECIMAL(38, 0)"))
        return to_decimal(expression)

    return transform


fakesnow.macros.creation_sql = with_digests(fakesnow.macros.creation_sql)
fakesnow.transforms.to_decimal = with_hexadecimals(fakesnow.transforms.to_decimal)
sys.exit(fakesnow.cli.main(["-s", "-p", sys.argv[1]]))
