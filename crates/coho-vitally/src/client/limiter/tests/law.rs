//! The law of the limiter: what is allowed is used, without a refusal, whatever form the server's rate has.

use coho_simulator::Window;

use super::simulated::{Outcome, Scene, Spelling, simulate};

const WINDOWS: [Window; 3] = [Window::Bucket, Window::Sliding, Window::Fixed];
const COSTS: [u32; 3] = [1, 5, 10];
const LATENCIES: [u32; 3] = [0, 50, 200];

const ALONE: Scene = Scene {
    window: Window::Bucket,
    limit: 1_000,
    cost: 1,
    spelling: Spelling::Documented,
    latency: 0,
    rate: 900,
    concurrency: 5,
    other: 0,
    minutes: 5,
};

fn scenes(spellings: &[Spelling]) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for window in WINDOWS {
        for cost in COSTS {
            for latency in LATENCIES {
                for spelling in spellings {
                    scenes.push(Scene { window, cost, latency, spelling: *spelling, ..ALONE });
                }
            }
        }
    }
    scenes
}

/// What is allowed is used: at least so much of it, and little more.
fn assert_used(scene: Scene, outcome: Outcome, allowed: f64, most: f64) {
    let share = outcome.used(scene) / allowed;
    assert!((0.95..=most).contains(&share), "{share:.3} of what is allowed: {scene:?} {outcome:?}");
}

#[test]
fn what_the_user_allows_is_used_without_a_refusal() {
    for scene in scenes(&Spelling::TELLING) {
        let outcome = simulate(scene);
        assert_used(scene, outcome, 900.0, 1.02);
        assert_eq!((outcome.refused, outcome.price), (0, scene.cost), "{scene:?}");
    }
}

#[test]
fn what_the_server_allows_is_used() {
    for scene in scenes(&[Spelling::Documented, Spelling::NoReset]) {
        let scene = Scene { rate: 6_000, ..scene };
        let outcome = simulate(scene);
        // A bucket that was full lets a minute's units pass at once.
        let most = if scene.window == Window::Bucket { 1.21 } else { 1.0 };
        assert_used(scene, outcome, 1_000.0, most);
        // Without a reset the end of a window can only be found by trying, once a minute.
        let refused = if scene.spelling == Spelling::NoReset { scene.minutes } else { 0 };
        assert!(outcome.refused <= refused, "{scene:?} {outcome:?}");
        assert_eq!(outcome.price, scene.cost, "{scene:?}");
    }
}

#[test]
fn what_another_program_leaves_is_used_and_it_gets_its_own() {
    for scene in scenes(&[Spelling::Documented, Spelling::Moment]) {
        let scene = Scene { other: 500, minutes: 10, ..scene };
        let outcome = simulate(scene);
        let most = if scene.window == Window::Bucket { 1.21 } else { 1.0 };
        assert_used(scene, outcome, 500.0, most);
        assert!(outcome.other_share() > 0.99, "{scene:?} {outcome:?}");
        assert!(outcome.refused_share() < 0.01, "{scene:?} {outcome:?}");
    }
}

#[test]
fn a_server_that_tells_nothing_refuses_one_call_in_a_hundred_at_most() {
    for scene in scenes(&Spelling::SILENT) {
        let scene = Scene { minutes: 10, ..scene };
        let outcome = simulate(scene);
        // What a write costs cannot be told then: what the server takes is used.
        let most = if scene.cost == 1 { 1.02 } else { 1.25 };
        assert_used(scene, outcome, 900.0, most);
        assert!(outcome.refused_share() <= 0.01, "{scene:?} {outcome:?}");
        assert!(scene.cost > 1 || outcome.refused == 0, "{scene:?} {outcome:?}");
    }
}

/// Slow calls that go one by one do not tell what they cost: then a few must be refused when little is left.
#[test]
fn one_call_at_a_time_uses_what_it_can() {
    for scene in scenes(&[Spelling::Documented]) {
        let scene = Scene { concurrency: 1, ..scene };
        let outcome = simulate(scene);
        let most_calls = 60_000.0 / f64::from(scene.latency.max(1));
        let allowed = (most_calls * f64::from(scene.cost)).min(900.0);
        let share = outcome.used(scene) / allowed;
        assert!(share >= 0.95, "{share:.3} {scene:?} {outcome:?}");
        assert!(outcome.refused_share() < 0.01, "{scene:?} {outcome:?}");
    }
}
