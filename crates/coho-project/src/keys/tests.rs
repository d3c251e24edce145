//! The words of the table against the types that they stand for.

use coho_core::code::{Code, Family};
use coho_core::object::Object;
use coho_core::row::ColumnType;
use coho_core::sync::{Api, Associations, Cast, FirstRun, Mode, NullPolicy, Removal};

use super::field::{CAST, NULL};
use super::model::COLUMN_TYPE;
use super::schedule::STOP_ON;
use super::sync::{API, ASSOCIATIONS, FIRST_RUN, MODE, OBJECT, REMOVED};
use super::test::PROBLEM;

#[test]
fn every_word_stands_for_a_value_and_every_value_has_a_word() {
    assert_eq!(OBJECT.now, Object::ALL.map(Object::name));
    assert_eq!(API.now, Api::ALL.map(Api::name));
    assert_eq!(ASSOCIATIONS.now, Associations::ALL.map(Associations::name));
    assert_eq!(FIRST_RUN.now, [FirstRun::Send, FirstRun::Baseline, FirstRun::Adopt].map(FirstRun::name));
    assert_eq!(STOP_ON.now, coho_schedule::StopRule::ALL.map(coho_schedule::StopRule::name));
    assert_eq!(MODE.now, Mode::ALL.map(Mode::name));
    assert_eq!(REMOVED.now, Removal::ALL.map(Removal::name));
    assert_eq!(CAST.now, Cast::ALL.map(Cast::name));
    assert_eq!(NULL.now, NullPolicy::ALL.map(NullPolicy::name));
    let types: Vec<_> = ColumnType::ALL.into_iter().filter(|kind| *kind != ColumnType::Mixed).collect();
    assert_eq!(COLUMN_TYPE.now, types.into_iter().map(ColumnType::name).collect::<Vec<_>>());
}

#[test]
fn every_code_that_a_test_may_expect_is_one_of_a_row() {
    for word in PROBLEM.now {
        let family = Code::parse(word).and_then(Code::entry).map(|entry| entry.family);
        assert_eq!(family, Some(Family::Row), "{word}");
    }
}
