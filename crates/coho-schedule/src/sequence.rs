//! Sequences: a sync that runs after others did, and when it does not.

/// When a sync does not run after those that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StopRule {
    /// Where one of them did not run to its end, was held by a guard, or had rows that did not get through.
    Problems,
    /// Where one of them did not run to its end.
    #[default]
    Failure,
    /// It always runs.
    Never,
}

impl StopRule {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Problems, Self::Failure, Self::Never];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Problems => "problems",
            Self::Failure => "failure",
            Self::Never => "never",
        }
    }

    /// The rule of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    fn stops(self, ended: Ended) -> bool {
        match (self, ended) {
            (Self::Never, _) | (_, Ended::Well) | (Self::Failure, Ended::WithProblems) => false,
            (Self::Problems, Ended::WithProblems | Ended::Failed) | (Self::Failure, Ended::Failed) => true,
        }
    }
}

/// How a run of a sync ended. One that was interrupted has not ended: it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything was done.
    Well,
    /// It ran to its end, and rows did not get through or were held.
    WithProblems,
    /// It did not run to its end.
    Failed,
}

/// Whether a sync runs after those that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Not yet: one of them has not run since it was looked at last.
    Wait,
    /// Now.
    Run,
    /// Not this time: one of them ended in a way at which the sequence stops.
    Stop,
}

/// Whether a sync runs now. `ended` holds for each sync that it follows how its newest run ended, if it ran since the follower
/// was started or stopped last.
pub fn follow(rule: StopRule, ended: &[Option<Ended>]) -> Follow {
    if ended.is_empty() || ended.iter().any(Option::is_none) {
        return Follow::Wait;
    }
    if ended.iter().flatten().any(|ended| rule.stops(*ended)) { Follow::Stop } else { Follow::Run }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_stops_at_what_it_says() {
        let after = |rule, ended| follow(rule, &[Some(Ended::Well), Some(ended)]);
        for (rule, well, problems, failed) in [
            (StopRule::Problems, Follow::Run, Follow::Stop, Follow::Stop),
            (StopRule::Failure, Follow::Run, Follow::Run, Follow::Stop),
            (StopRule::Never, Follow::Run, Follow::Run, Follow::Run),
        ] {
            assert_eq!(after(rule, Ended::Well), well, "{rule:?}");
            assert_eq!(after(rule, Ended::WithProblems), problems, "{rule:?}");
            assert_eq!(after(rule, Ended::Failed), failed, "{rule:?}");
        }
    }

    #[test]
    fn a_follower_waits_for_all() {
        assert_eq!(follow(StopRule::Never, &[Some(Ended::Failed), None]), Follow::Wait);
        assert_eq!(follow(StopRule::Never, &[]), Follow::Wait);
    }

    #[test]
    fn rules_read_back() {
        assert!(StopRule::ALL.into_iter().all(|rule| StopRule::parse(rule.name()) == Some(rule)));
    }
}
