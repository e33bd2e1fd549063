//! Classes of keyspace events: which are published, and on which channels, as the letters of
//! notify-keyspace-events say.

use std::fmt;

/// Which keyspace events are published, and on which channels (notify-keyspace-events).
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct NotifyClasses(u32);

impl NotifyClasses {
    pub const NONE: NotifyClasses = NotifyClasses(0);
    /// `K`: publish on `__keyspace@<db>__:<key>`.
    pub const KEYSPACE: NotifyClasses = NotifyClasses(1);
    /// `E`: publish on `__keyevent@<db>__:<event>`.
    pub const KEYEVENT: NotifyClasses = NotifyClasses(1 << 1);
    /// `g`: commands of no type, such as DEL, EXPIRE, RENAME.
    pub const GENERIC: NotifyClasses = NotifyClasses(1 << 2);
    /// `$`
    pub const STRING: NotifyClasses = NotifyClasses(1 << 3);
    /// `l`
    pub const LIST: NotifyClasses = NotifyClasses(1 << 4);
    /// `s`
    pub const SET: NotifyClasses = NotifyClasses(1 << 5);
    /// `h`
    pub const HASH: NotifyClasses = NotifyClasses(1 << 6);
    /// `z`
    pub const SORTED_SET: NotifyClasses = NotifyClasses(1 << 7);
    /// `x`: a key reached its deadline.
    pub const EXPIRED: NotifyClasses = NotifyClasses(1 << 8);
    /// `e`: a key gave way to memory pressure.
    pub const EVICTED: NotifyClasses = NotifyClasses(1 << 9);
    /// `t`
    pub const STREAM: NotifyClasses = NotifyClasses(1 << 10);
    /// `m`: a read found no key. Not part of `A`.
    pub const KEY_MISS: NotifyClasses = NotifyClasses(1 << 11);
    /// `d`: types of modules.
    pub const MODULE: NotifyClasses = NotifyClasses(1 << 12);
    /// `n`: a key was created. Not part of `A`.
    pub const NEW: NotifyClasses = NotifyClasses(1 << 13);

    /// The classes of `A`, with their letters, in the order they are printed.
    const ALL_PARTS: [(char, NotifyClasses); 10] = [
        ('g', NotifyClasses::GENERIC),
        ('$', NotifyClasses::STRING),
        ('l', NotifyClasses::LIST),
        ('s', NotifyClasses::SET),
        ('h', NotifyClasses::HASH),
        ('z', NotifyClasses::SORTED_SET),
        ('x', NotifyClasses::EXPIRED),
        ('e', NotifyClasses::EVICTED),
        ('t', NotifyClasses::STREAM),
        ('d', NotifyClasses::MODULE),
    ];

    /// `A`: all classes except misses and new keys.
    pub const ALL: NotifyClasses = {
        let (mut all, mut index) = (0, 0);
        while index < NotifyClasses::ALL_PARTS.len() {
            all |= NotifyClasses::ALL_PARTS[index].1.0;
            index += 1;
        }
        NotifyClasses(all)
    };

    /// Whether all classes of `other` are on.
    pub const fn contains(self, other: NotifyClasses) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether one of the classes of `other` is on.
    pub const fn intersects(self, other: NotifyClasses) -> bool {
        self.0 & other.0 != 0
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: NotifyClasses) -> NotifyClasses {
        NotifyClasses(self.0 | other.0)
    }

    /// Whether an event of `class` is published at all: the class is on, and a channel too.
    pub const fn publishes(self, class: NotifyClasses) -> bool {
        let channels = NotifyClasses::KEYSPACE.0 | NotifyClasses::KEYEVENT.0;
        self.contains(class) && self.0 & channels != 0
    }

    pub(super) fn parse(letters: &str) -> Option<NotifyClasses> {
        letters.chars().try_fold(NotifyClasses::NONE, |classes, letter| {
            let part = NotifyClasses::ALL_PARTS.iter().find(|part| part.0 == letter);
            let class = match letter {
                'A' => NotifyClasses::ALL,
                'K' => NotifyClasses::KEYSPACE,
                'E' => NotifyClasses::KEYEVENT,
                'm' => NotifyClasses::KEY_MISS,
                'n' => NotifyClasses::NEW,
                _ => part?.1,
            };
            Some(classes.with(class))
        })
    }
}

impl fmt::Display for NotifyClasses {
    /// As Redis prints them. Redis 7.0 forgets the `n` when `A` is on; so would a rewritten
    /// configuration file, which is why we do not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.contains(NotifyClasses::ALL) {
            write!(f, "A")?;
        } else {
            for (letter, class) in NotifyClasses::ALL_PARTS {
                if self.contains(class) {
                    write!(f, "{letter}")?;
                }
            }
        }
        for (letter, class) in [
            ('n', NotifyClasses::NEW),
            ('K', NotifyClasses::KEYSPACE),
            ('E', NotifyClasses::KEYEVENT),
            ('m', NotifyClasses::KEY_MISS),
        ] {
            if self.contains(class) {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}
