//! The law of the limiter: what is allowed is used, without a refusal, whatever form the server's rate has.

use coho_core::at_once::AtOnce;
use coho_simulator::Window;

use super::simulated::{Outcome, Scene, Spelling, simulate, whole};

const WINDOWS: [Window; 3] = [Window::Bucket, Window::Sliding, Window::Fixed];
const COSTS: [u32; 3] = [1, 5, 10];
const LATENCIES: [u32; 4] = [0, 50, 200, 300];

const ALONE: Scene = Scene {
    window: Window::Bucket,
    limit: 1_000,
    cost: 1,
    spelling: Spelling::Documented,
    latency: 0,
    rate: 900,
    at_once: AtOnce::Auto,
    workers: None,
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

/// Units a minute of the server's limit that are left to others.
const RESERVED: f64 = 40.0;

/// What is allowed is used: all but a fiftieth of it, and little more.
fn assert_used(scene: Scene, outcome: Outcome, allowed: f64, most: f64) {
    let share = outcome.used(scene) / allowed;
    assert!((0.98..=most).contains(&share), "{share:.3} of what is allowed: {scene:?} {outcome:?}");
}

#[test]
fn what_the_user_allows_is_used_without_a_refusal() {
    for scene in scenes(&Spelling::TELLING) {
        let outcome = simulate(scene);
        // Far away a unit may flow into a bucket between the two calls of a probe, which then seem cheaper by it: a fifth, at most,
        // for as long as most probes say so. What the server allows is kept all the same.
        let is_far = scene.window == Window::Bucket && scene.latency == 300;
        assert_used(scene, outcome, 900.0, if is_far { 1.25 } else { 1.02 });
        assert_eq!(outcome.refused, 0, "{scene:?}");
        assert!(scene.cost - outcome.price <= u32::from(is_far), "{scene:?} {outcome:?}");
    }
}

#[test]
fn what_the_server_allows_is_used() {
    for scene in scenes(&Spelling::TELLING) {
        let scene = Scene { rate: 6_000, ..scene };
        let outcome = simulate(scene);
        // A bucket that was full lets a minute's units pass at once.
        let most = if scene.window == Window::Bucket { 1.21 } else { 1.0 };
        assert_used(scene, outcome, 1_000.0 - RESERVED, most * 1_000.0 / (1_000.0 - RESERVED));
        // Without a reset it is not known when dear calls leave a window that slides.
        let is_known =
            scene.spelling != Spelling::NoReset || scene.window != Window::Sliding || scene.cost < 10;
        assert!(outcome.refused <= u32::from(!is_known), "{scene:?} {outcome:?}");
        assert_eq!(outcome.price, scene.cost, "{scene:?}");
    }
}

#[test]
fn what_another_program_leaves_is_used_and_it_gets_its_own() {
    for scene in scenes(&Spelling::TELLING) {
        let scene = Scene { other: 500, minutes: 10, ..scene };
        let outcome = simulate(scene);
        let most = if scene.window == Window::Bucket { 1.21 } else { 1.0 };
        assert_used(scene, outcome, 500.0 - RESERVED, most * 500.0 / (500.0 - RESERVED));
        assert!(outcome.other_share() > 0.99, "{scene:?} {outcome:?}");
        // Without a reset both may come to the end of a window at once.
        let refused = if scene.spelling == Spelling::NoReset { 0.02 } else { 0.01 };
        assert!(outcome.refused_share() < refused, "{scene:?} {outcome:?}");
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

/// As many calls as the rate needs, wherever the server is, and not many more.
#[test]
fn any_rate_is_filled_at_any_distance() {
    for rate in [1_000, 10_000, 60_000] {
        for latency in [0, 20, 300] {
            let minutes = if latency == 300 { 3 } else { 1 };
            let scene = Scene { rate, limit: rate + rate / 9, latency, minutes, ..ALONE };
            let outcome = simulate(scene);
            // Two seconds' worth may leave at once in the beginning.
            assert_used(scene, outcome, f64::from(rate), 1.04);
            assert_eq!(outcome.refused, 0, "{scene:?} {outcome:?}");
            let needed = f64::from(rate) / 60_000.0 * f64::from(latency.max(5));
            let most = 2.0 * needed + 4.0;
            assert!(outcome.most_under_way <= whole(most) as usize, "{most} {scene:?} {outcome:?}");
        }
    }
}

#[test]
fn a_server_that_is_busy_gets_little_more_than_it_can_work_on() {
    for (workers, latency) in [(1, 20), (8, 20), (10, 300), (50, 100)] {
        let scene =
            Scene { rate: 600_000, limit: 1_000_000, workers: Some(workers), latency, minutes: 4, ..ALONE };
        let outcome = simulate(scene);
        let able = 60_000.0 / f64::from(latency) * f64::from(u32::try_from(workers).unwrap());
        assert_used(scene, outcome, able, 1.02);
        assert!(outcome.at_once <= 2 * workers + 2, "{scene:?} {outcome:?}");
    }
}

#[test]
fn a_number_is_never_exceeded() {
    for most in [1, 3, 700] {
        let scene =
            Scene { rate: 60_000, limit: 66_000, latency: 2_000, at_once: AtOnce::Most(most), ..ALONE };
        let outcome = simulate(Scene { minutes: 1, ..scene });
        assert_eq!(outcome.most_under_way, most as usize, "{outcome:?}");
    }
}

/// Slow calls that go one by one do not tell what they cost: then a few must be refused when little is left.
#[test]
fn one_call_at_a_time_uses_what_it_can() {
    for scene in scenes(&[Spelling::Documented]) {
        let scene = Scene { at_once: AtOnce::Most(1), ..scene };
        let outcome = simulate(scene);
        let most_calls = 60_000.0 / f64::from(scene.latency.max(1));
        let allowed = (most_calls * f64::from(scene.cost)).min(900.0);
        let share = outcome.used(scene) / allowed;
        assert!(share >= 0.95, "{share:.3} {scene:?} {outcome:?}");
        assert!(outcome.refused_share() < 0.01, "{scene:?} {outcome:?}");
    }
}
