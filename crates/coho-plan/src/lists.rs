//! Lists and look-ups: from how many unknown records on a list is worth its calls, and what finding them takes at most.

/// From how many unknown records or addresses on a list is tried.
pub const WORTH_LISTING: usize = 10;

/// How many pages more than records found are read before a list of references is given up: a twentieth of what the look-ups
/// would take.
pub fn patience(unknown: usize) -> usize {
    unknown / 20 + 1
}

/// The most calls that it takes to find the ids of so many records.
pub fn most_for_references(unknown: u64) -> u64 {
    let pages = usize::try_from(unknown).map_or(u64::MAX, |unknown| patience(unknown) as u64);
    let listing = if unknown < WORTH_LISTING as u64 { 0 } else { pages.saturating_add(1) };
    unknown.saturating_add(listing)
}

/// How many pages of users are read at most to find so many by their addresses.
pub fn budget(unknown: usize) -> usize {
    unknown / 10 + 1
}

/// The most calls that a list takes in which so many addresses are looked up.
pub fn most_for_addresses(unknown: u64) -> u64 {
    if unknown < WORTH_LISTING as u64 { 0 } else { unknown / 10 + 1 }
}

/// The most calls until it is shown that paths take external ids: of each exchange that is under way meanwhile a page of the list,
/// and then one more, with a record that is asked for. A run does not send more at once before some exchanges came back.
pub fn most_for_paths(concurrency: u32) -> u64 {
    u64::from(concurrency) * 3
}
