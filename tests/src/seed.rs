//! The seed of a test's random choices.

/// `CAIRN_SEED`, else one drawn now; printed, so that a failure can be repeated.
#[allow(clippy::disallowed_methods, reason = "the one place where tests draw their seed")]
pub fn seed() -> u64 {
    let seed = match std::env::var("CAIRN_SEED") {
        Ok(text) => text.parse().expect("CAIRN_SEED is a number"),
        Err(_) => rand::random::<u64>(),
    };
    eprintln!("seed {seed}: set CAIRN_SEED={seed} to repeat this run's choices");
    seed
}
