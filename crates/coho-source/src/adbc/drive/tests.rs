//! Arrays that no driver of the tests gives, as cells.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{
    ListBuilder, ListViewBuilder, MapBuilder, PrimitiveRunBuilder, StringBuilder, StringDictionaryBuilder,
};
use arrow_array::types::{Decimal256Type, Int8Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Date64Array, Decimal32Array, Decimal64Array, Decimal128Array,
    Decimal256Array, FixedSizeListArray, Float16Array, Float32Array, Int32Array, LargeStringArray, NullArray,
    RunArray, StringArray, StringViewArray, StructArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt64Array,
};
use arrow_schema::Field;
use coho_core::row::Cell;

use super::cells::Column;
use super::shape;
use crate::adbc::engine::Engine;

/// The declared type, and each cell.
fn shown(array: &dyn Array) -> String {
    of_field(array, &Field::new("c", array.data_type().clone(), true))
}

fn of_field(array: &dyn Array, field: &Field) -> String {
    let kind = match shape::column(field, Engine::Other).kind {
        Ok(kind) => kind.name(),
        Err(refusal) => return format!("{} → {}", refusal.kind, refusal.cast),
    };
    let column = Column::of(array, field).unwrap();
    let cells: Vec<String> = (0..array.len())
        .map(|at| match column.cell(at, &mut String::new()) {
            Ok(Cell::Null) => "null".to_owned(),
            Ok(Cell::Json(text)) => text.to_owned(),
            Ok(cell) => {
                let value = cell.to_value();
                value.scalar_text().unwrap_or_else(|| coho_core::json::write(&value))
            }
            Err(what) => format!("!{what}"),
        })
        .collect();
    format!("{kind}: {}", cells.join(" "))
}

#[test]
fn every_digit_of_every_decimal_is_kept() {
    let decimal =
        Decimal128Array::from(vec![Some(i128::MIN), Some(5), None]).with_precision_and_scale(38, 3).unwrap();
    assert_eq!(shown(&decimal), "decimal: -170141183460469231731687303715884105.728 0.005 null");
    let before = Decimal128Array::from(vec![12, 0]).with_precision_and_scale(38, -2).unwrap();
    assert_eq!(shown(&before), "decimal: 1200 0");
    let small = Decimal32Array::from(vec![-1]).with_precision_and_scale(9, 2).unwrap();
    assert_eq!(shown(&small), "decimal: -0.01");
    let middle = Decimal64Array::from(vec![i64::MAX]).with_precision_and_scale(18, 0).unwrap();
    assert_eq!(shown(&middle), "decimal: 9223372036854775807");
    let large = Decimal256Array::from_iter_values([
        <Decimal256Type as arrow_array::types::ArrowPrimitiveType>::Native::from_i128(i128::MAX),
    ]);
    assert_eq!(
        shown(&large.with_precision_and_scale(76, 1).unwrap()),
        "decimal: 17014118346046923173168730371588410572.7"
    );
    assert_eq!(shown(&UInt64Array::from(vec![u64::MAX])), "decimal: 18446744073709551615");
}

#[test]
fn moments_of_every_unit_are_cut_at_a_microsecond() {
    assert_eq!(
        shown(&TimestampSecondArray::from(vec![-1, i64::MAX])),
        "local-timestamp: 1969-12-31T23:59:59.000 !a moment outside the years 1 to 9999"
    );
    let zone = TimestampMillisecondArray::from(vec![1]).with_timezone("Europe/Berlin");
    assert_eq!(shown(&zone), "timestamp: 1970-01-01T00:00:00.001Z");
    assert_eq!(shown(&TimestampNanosecondArray::from(vec![-1])), "local-timestamp: 1969-12-31T23:59:59.999");
    assert_eq!(
        shown(&Date64Array::from(vec![86_400_000, 1, -86_400_000])),
        "date: 1970-01-02 !a date with a time of day 1969-12-31"
    );
}

#[test]
fn floats_keep_their_shortest_text() {
    assert_eq!(
        shown(&Float32Array::from(vec![0.1, f32::NAN, f32::INFINITY])),
        "float: 0.1 !NaN !an infinity"
    );
    assert_eq!(shown(&Float16Array::from_iter_values([half_of(0.5)])), "float: 0.5");
}

fn half_of(
    number: f32,
) -> <arrow_array::types::Float16Type as arrow_array::types::ArrowPrimitiveType>::Native {
    <arrow_array::types::Float16Type as arrow_array::types::ArrowPrimitiveType>::Native::from_f32(number)
}

#[test]
fn texts_of_every_layout_are_texts() {
    assert_eq!(shown(&LargeStringArray::from(vec![Some("é"), None])), "text: é null");
    assert_eq!(
        shown(&StringViewArray::from(vec!["longer than twelve bytes"])),
        "text: longer than twelve bytes"
    );
    let mut dictionary = StringDictionaryBuilder::<Int8Type>::new();
    dictionary.extend([Some("a"), None, Some("b"), Some("a")]);
    assert_eq!(shown(&dictionary.finish()), "text: a null b a");
    let mut runs = PrimitiveRunBuilder::<Int32Type, Int64Type>::new();
    runs.extend([Some(1), Some(1), None, Some(2)]);
    let runs: RunArray<Int32Type> = runs.finish();
    assert_eq!(shown(&runs), "integer: 1 1 null 2");
    assert_eq!(shown(&runs.slice(1, 3)), "integer: 1 null 2");
    assert_eq!(shown(&NullArray::new(2)), "mixed: null null");
}

#[test]
fn what_is_nested_is_json() {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("a"), None]);
    lists.append_null();
    lists.append_value([Some("b")]);
    let lists = lists.finish();
    assert_eq!(shown(&lists), r#"json: ["a",null] null ["b"]"#);
    assert_eq!(shown(&lists.slice(2, 1)), r#"json: ["b"]"#);
    let mut views = ListViewBuilder::new(StringBuilder::new());
    views.append_value([Some("a")]);
    assert_eq!(shown(&views.finish()), r#"json: ["a"]"#);
    let fixed = FixedSizeListArray::from_iter_primitive::<Int64Type, _, _>(
        [Some([Some(1), None]), None, Some([Some(3), Some(4)])],
        2,
    );
    assert_eq!(shown(&fixed), "json: [1,null] null [3,4]");
    assert_eq!(shown(&fixed.slice(2, 1)), "json: [3,4]");
    let mut map = MapBuilder::new(None, StringBuilder::new(), arrow_array::builder::Int32Builder::new());
    map.keys().append_value("a");
    map.values().append_value(1);
    map.append(true).unwrap();
    map.append(false).unwrap();
    assert_eq!(shown(&map.finish()), r#"json: {"a":1} null"#);
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let field = |name: &str| Arc::new(Field::new(name, numbers.data_type().clone(), true));
    let twice = StructArray::from(vec![(field("a"), numbers.clone()), (field("a"), numbers.clone())]);
    assert_eq!(shown(&twice), "structure with two members named `a` → CAST(c AS VARCHAR) AS c");
    let two = StructArray::from(vec![(field("b"), numbers.clone()), (field("a"), numbers)]);
    assert_eq!(shown(&two.slice(1, 1)), r#"json: {"b":null,"a":null}"#);
    assert_eq!(shown(&BinaryArray::from_vec(vec![b"x"])), "binary → CAST(c AS VARCHAR) AS c");
}

#[test]
fn extensions_say_more_than_arrow() {
    let texts = StringArray::from(vec![r#"{"a":1.0}"#, "null", "[1", "1e2000"]);
    let with = |name: &str, more: &str| {
        let metadata = [("ARROW:extension:name", name), ("ARROW:extension:metadata", more)];
        let metadata: HashMap<String, String> =
            metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Field::new("c", texts.data_type().clone(), true).with_metadata(metadata)
    };
    let wrong = "!text that is not JSON, is nested too deep, or has a number beyond 1,000 digits";
    assert_eq!(
        of_field(&texts, &with("arrow.json", "")),
        format!("json: {{\"a\":1.0}} null {wrong} {wrong}")
    );
    let numbers = StringArray::from(vec!["1.50", "NaN"]);
    let numeric = with("arrow.opaque", r#"{"type_name": "numeric", "vendor_name": "PostgreSQL"}"#);
    assert_eq!(
        of_field(&numbers, &numeric),
        "decimal: 1.50 !NaN, an infinity, or a number of more than 1,000 digits"
    );
    let variant = HashMap::from([("logicalType".to_owned(), "VARIANT".to_owned())]);
    let variant = Field::new("c", texts.data_type().clone(), true).with_metadata(variant);
    assert_eq!(of_field(&texts.slice(0, 2), &variant), "json: {\"a\":1.0} null");
    let foreign = with("arrow.opaque", r#"{"type_name": "citext", "vendor_name": "PostgreSQL"}"#);
    assert_eq!(of_field(&numbers, &foreign), "text: 1.50 NaN");
    let of_bigquery = |name: &str| with(&format!("google:sqlType:{name}"), "");
    assert_eq!(of_field(&texts.slice(0, 2), &of_bigquery("json")), "json: {\"a\":1.0} null");
    assert_eq!(of_field(&numbers, &of_bigquery("geography")), "text: 1.50 NaN");
    // What cannot be told apart for certain says so where rows are compared.
    let signature = |name| shape::column(&of_bigquery(name), Engine::Bigquery).signature;
    assert_eq!(signature("geography"), "Utf8 Foreign(\"GEOGRAPHY\")");
    assert_eq!(signature("datetime"), "Utf8 None");
}

#[test]
fn what_is_nested_and_has_no_form_is_written_as_the_engine_writes_it() {
    let bytes = Field::new("item", arrow_schema::DataType::Binary, true);
    let list = Field::new("photos", arrow_schema::DataType::List(Arc::new(bytes)), true);
    let cast = |engine| shape::column(&list, engine).kind.unwrap_err().cast;
    assert_eq!(cast(Engine::Bigquery), "TO_JSON_STRING(photos) AS photos");
    assert_eq!(cast(Engine::Spark), "CAST(photos AS STRING) AS photos");
}
