//! Probes: two calls of a kind that leave together while nothing else is under way. What is left after the one and after
//! the other differs by the price of a call, however the server counts: between the two nothing comes in that would matter.
//!
//! Calls that follow one another tell the same where they follow fast. In all other differences there is what came in
//! meanwhile, which depends on how the server counts, or what other calls cost: they tell nothing.

use std::time::Duration;

use tokio::time::Instant;

use super::server::Server;
use crate::request::Cost;

/// Two calls are together if the second leaves so soon after the first.
const TOGETHER: Duration = Duration::from_millis(5);

/// How many probes are made of a kind of calls before it is sent freely.
const FIRST: u32 = 3;

/// How long after the last probe of a kind another one is made. No part of a minute: else the calls of a probe would leave a
/// sliding window just when others are probes.
const AGAIN: Duration = Duration::from_secs(37);

/// How long a probe may be put off for calls that are under way.
const PATIENCE: Duration = Duration::from_secs(2);

/// Two calls follow fast if less than this came in between, in units.
const MUCH: f64 = 0.5;

/// Which calls are probes, and what they tell.
#[derive(Debug, Default)]
pub(super) struct Probes {
    read: Kind,
    write: Kind,
    group: Option<Group>,
    /// What was left after the last call that was alone, and when that call left.
    quiet: Option<(u32, Instant)>,
}

/// The probes of one kind of calls.
#[derive(Debug, Default)]
struct Kind {
    made: u32,
    due: Option<Instant>,
}

/// The calls of a probe.
#[derive(Debug)]
struct Group {
    cost: Cost,
    at: Instant,
    members: u32,
    most: u32,
    remaining: Vec<u32>,
}

/// What a call is to do for the sake of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Go, as one of many.
    Free,
    /// Go, as the first of so many that leave together.
    First(u32),
    /// Go, as another one of them.
    Next,
    /// Wait until a call under way is answered.
    Wait,
}

impl Probes {
    /// What a call is to do. Before the first answer one goes alone; where the server does not say what is left, all are free.
    pub(super) fn turn(
        &mut self,
        cost: Cost,
        answered: bool,
        told: Option<&Server>,
        under_way: usize,
        now: Instant,
    ) -> Turn {
        if let Some(group) = &self.group {
            let joins = group.cost == cost
                && group.members < group.most
                && group.remaining.is_empty()
                && now.saturating_duration_since(group.at) <= TOGETHER;
            return if joins { Turn::Next } else { Turn::Wait };
        }
        if !answered {
            return if under_way == 0 { Turn::First(1) } else { Turn::Wait };
        }
        if told.is_none() {
            return Turn::Free;
        }
        let kind = self.kind(cost);
        let due = *kind.due.get_or_insert(now);
        if now < due {
            Turn::Free
        } else if under_way == 0 {
            Turn::First(2)
        } else if now < due + PATIENCE {
            Turn::Wait
        } else {
            kind.due = Some(now + AGAIN);
            Turn::Free
        }
    }

    /// A call left.
    pub(super) fn left(&mut self, cost: Cost, turn: Turn, now: Instant) {
        match (turn, &mut self.group) {
            (Turn::First(most), _) => {
                self.group = Some(Group { cost, at: now, members: 1, most, remaining: Vec::new() });
            }
            (Turn::Next, Some(group)) => group.members += 1,
            (Turn::Next | Turn::Free | Turn::Wait, _) => {}
        }
    }

    /// A call was answered, or given up: then nothing is told. Gives what a call of that kind seems to cost, where that can be
    /// told.
    pub(super) fn answered(&mut self, call: Answered, server: Option<&Server>) -> Option<u32> {
        let quiet = self.quiet.take();
        if let (Some(group), Some(server)) = (&mut self.group, server) {
            group.remaining.push(server.remaining);
        }
        if call.under_way > 0 {
            return None;
        }
        let group = self.group.take();
        let server = server?;
        if call.was_alone {
            self.quiet = Some((server.remaining, call.at));
        }
        if let Some(group) = &group {
            self.made(group.cost, call.now);
        }
        let together = group.as_ref().map(|group| group.remaining.as_slice());
        let units = if let Some([one, other]) = together {
            one.abs_diff(*other)
        } else {
            let (before, at) = quiet.filter(|_| call.was_alone)?;
            let came_in = call.at.saturating_duration_since(at).as_secs_f64() * server.flow();
            if came_in < MUCH { before.saturating_sub(server.remaining) } else { 0 }
        };
        // No call is free: where nothing seems to be gone, as much came back.
        (units > 0).then_some(units)
    }

    fn made(&mut self, cost: Cost, now: Instant) {
        let kind = self.kind(cost);
        kind.made += 1;
        if kind.made >= FIRST {
            kind.due = Some(now + AGAIN);
        }
    }

    fn kind(&mut self, cost: Cost) -> &mut Kind {
        match cost {
            Cost::Read => &mut self.read,
            Cost::Write => &mut self.write,
        }
    }
}

/// A call that was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    /// When it left.
    pub(super) at: Instant,
    /// Whether nothing else was under way from then on.
    pub(super) was_alone: bool,
    /// How many calls are under way still.
    pub(super) under_way: usize,
    pub(super) now: Instant,
}
