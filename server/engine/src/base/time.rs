//! Time as a value. The server reads both clocks once a turn and passes [`Now`] in; nothing in
//! the engine asks for the time itself, so a test moves it by hand and a simulation by seed.
//!
//! Deadlines of keys are wall-clock milliseconds ([`UnixMillis`]), as on the wire and on disk;
//! durations are measured on the monotonic clock, which never jumps.

/// Wall-clock milliseconds since 1970, as in PEXPIREAT. May be negative: Redis accepts deadlines
/// in the past and removes such keys at once.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Whole seconds, rounded towards the past, as EXPIRETIME would count them.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment moved by `ms`, clamped to what an `i64` holds.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> UnixMillis {
        UnixMillis(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`; negative when `self` comes first.
    pub const fn ms_since(self, earlier: UnixMillis) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The two clocks as read at the start of a turn.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Now {
    /// Wall clock: decides expiry, and is what TIME and LASTSAVE answer.
    pub unix_ms: UnixMillis,
    /// Monotonic clock in microseconds from an arbitrary start: measures durations.
    pub mono_us: u64,
}

impl Now {
    /// Wall-clock seconds, rounded towards the past.
    pub const fn seconds(self) -> i64 {
        self.unix_ms.seconds()
    }

    /// Monotonic milliseconds from an arbitrary start.
    pub const fn mono_ms(self) -> u64 {
        self.mono_us / 1000
    }

    /// Microseconds that have passed since `earlier_us` of the same monotonic clock; zero when
    /// the argument lies ahead, so that a caller's stale copy never yields a huge duration.
    pub const fn us_since(self, earlier_us: u64) -> u64 {
        self.mono_us.saturating_sub(earlier_us)
    }

    /// Both clocks moved forward by `ms`: how tests and simulations let time pass.
    #[must_use]
    pub const fn advanced_ms(self, ms: u64) -> Now {
        Now {
            unix_ms: self.unix_ms.plus_ms(ms as i64),
            mono_us: self.mono_us.saturating_add(ms.saturating_mul(1000)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_towards_the_past_on_both_sides_of_1970() {
        assert_eq!(UnixMillis(1_999).seconds(), 1);
        assert_eq!(UnixMillis(0).seconds(), 0);
        assert_eq!(UnixMillis(-1).seconds(), -1);
    }

    #[test]
    fn moments_do_not_wrap_at_the_ends_of_time() {
        assert_eq!(UnixMillis(i64::MAX).plus_ms(1), UnixMillis(i64::MAX));
        assert_eq!(UnixMillis(i64::MIN).plus_ms(-1), UnixMillis(i64::MIN));
        assert_eq!(UnixMillis(i64::MAX).ms_since(UnixMillis(-1)), i64::MAX);
    }

    #[test]
    fn both_clocks_move_together_when_time_is_advanced() {
        let now = Now { unix_ms: UnixMillis(10), mono_us: 5 }.advanced_ms(3);
        assert_eq!(now, Now { unix_ms: UnixMillis(13), mono_us: 3_005 });
        assert_eq!(now.us_since(5), 3_000);
        assert_eq!(now.us_since(4_000), 0);
    }
}
