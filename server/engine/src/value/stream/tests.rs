//! Random edits against a stream that is nothing but std maps, in several block sizes, with every
//! edit encoded, decoded and applied to a second stream of another layout on the way.

use std::collections::BTreeMap;

use super::{Element, Entry, Fields, Pending, Stream, StreamEdit, StreamId, Trim};
use crate::base::random::Random;
use crate::value::{Collection, Rules};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Clone, Debug, PartialEq)]
struct ModelPending {
    owner: Vec<u8>,
    at: i64,
    deliveries: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct ModelGroup {
    last: StreamId,
    read: Option<u64>,
    pending: BTreeMap<StreamId, ModelPending>,
    consumers: BTreeMap<Vec<u8>, (i64, Option<i64>)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    entries: BTreeMap<StreamId, Pairs>,
    last: StreamId,
    max_deleted: StreamId,
    added: u64,
    groups: BTreeMap<Vec<u8>, ModelGroup>,
}

impl Model {
    fn apply(&mut self, edit: StreamEdit<'_>) -> bool {
        let before = self.clone();
        self.change(edit);
        *self != before
    }

    fn change(&mut self, edit: StreamEdit<'_>) -> Option<()> {
        use StreamEdit as E;
        match edit {
            E::Add { id, fields } => {
                let flat: Vec<Vec<u8>> = fields.iter().map(Vec::from).collect();
                let pairs = flat.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
                if id > self.last {
                    self.entries.insert(id, pairs);
                    self.last = id;
                    self.added += 1;
                }
            }
            E::Delete { id } => {
                self.entries.remove(&id)?;
                self.max_deleted = self.max_deleted.max(id);
            }
            E::Trim { keep } => {
                while self.entries.len() as u64 > keep {
                    self.entries.pop_first();
                }
            }
            E::Set { last, added, max_deleted } => {
                self.last = self.entries.last_key_value().map_or(last, |(&top, _)| top.max(last));
                self.added = added.max(self.entries.len() as u64);
                self.max_deleted = max_deleted;
            }
            E::CreateGroup { group, last, read } => {
                let new = ModelGroup { last, read, ..ModelGroup::default() };
                self.groups.entry(group.to_vec()).or_insert(new);
            }
            E::DestroyGroup { group } => drop(self.groups.remove(group)),
            E::SetGroup { group, last, read } => {
                let group = self.groups.get_mut(group)?;
                (group.last, group.read) = (last, read);
            }
            E::CreateConsumer { group, consumer, at } => {
                let consumers = &mut self.groups.get_mut(group)?.consumers;
                consumers.entry(consumer.to_vec()).or_insert((at, None));
            }
            E::DeleteConsumer { group, consumer } => {
                let group = self.groups.get_mut(group)?;
                group.consumers.remove(consumer)?;
                group.pending.retain(|_, pending| pending.owner != consumer);
            }
            E::See { group, consumer, at, active } => {
                let seen = self.groups.get_mut(group)?.consumers.get_mut(consumer)?;
                *seen = (at, if active { Some(at) } else { seen.1 });
            }
            E::Deliver { group, consumer, to, at, read } => {
                let group = self.groups.get_mut(group)?;
                let seen = group.consumers.get_mut(consumer)?;
                if to > group.last {
                    *seen = (at, Some(at));
                    for (&id, _) in self.entries.range(group.last.next()?..=to) {
                        let owner = consumer.to_vec();
                        group.pending.insert(id, ModelPending { owner, at, deliveries: 1 });
                    }
                    (group.last, group.read) = (to, read);
                }
            }
            E::Assign { group, consumer, id, at, deliveries } => {
                let group = self.groups.get_mut(group)?;
                group.consumers.get(consumer)?;
                let owner = consumer.to_vec();
                group.pending.insert(id, ModelPending { owner, at, deliveries });
            }
            E::Acknowledge { group, id } => drop(self.groups.get_mut(group)?.pending.remove(&id)),
        }
        Some(())
    }
}

fn pairs_of(entry: &Entry<'_>) -> Pairs {
    let text = |element: Element<'_>| element.text(&mut itoa::Buffer::new()).to_vec();
    entry.fields().map(|(name, value)| (text(name), text(value))).collect()
}

/// What a [`Model`] would be with the content of this stream.
fn model_of(stream: &Stream) -> Model {
    let groups = stream.groups().map(|group| {
        let pending = group.pending_from(StreamId::MIN).map(|pending| {
            let owner = group.owner(pending).name().to_vec();
            let (at, deliveries) = (pending.delivered_at, pending.deliveries);
            (pending.id, ModelPending { owner, at, deliveries })
        });
        let consumers = group
            .consumers()
            .map(|consumer| (consumer.name().to_vec(), (consumer.seen_at(), consumer.active_at())));
        let model = ModelGroup {
            last: group.last_id(),
            read: group.entries_read(),
            pending: pending.collect(),
            consumers: consumers.collect(),
        };
        (group.name().to_vec(), model)
    });
    Model {
        entries: stream
            .range(StreamId::MIN, StreamId::MAX)
            .map(|entry| (entry.id, pairs_of(&entry)))
            .collect(),
        last: stream.last_id(),
        max_deleted: stream.max_deleted_id(),
        added: stream.entries_added(),
        groups: groups.collect(),
    }
}

struct Dice(Random);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn name(&mut self) -> Vec<u8> {
        format!("name{}", self.below(4)).into_bytes()
    }

    /// Framed fields: mostly the same names, values of every kind and size.
    fn fields(&mut self) -> Vec<u8> {
        let mut framed = Vec::new();
        let count = 1 + self.below(3);
        for pair in 0..count {
            let name = if self.below(8) == 0 { self.name() } else { vec![b'a' + pair as u8] };
            let value = match self.below(5) {
                0 => vec![b'v'; self.below(300) as usize],
                1 => self.below(1000).to_string().into_bytes(),
                2 => (self.0.next_u64() as i64 >> self.below(64)).to_string().into_bytes(),
                _ => vec![b'x'; self.below(20) as usize],
            };
            Fields::frame(&name, &mut framed);
            Fields::frame(&value, &mut framed);
        }
        framed
    }

    /// An id of an entry, or near one.
    fn id(&mut self, model: &Model) -> StreamId {
        let (Some((first, _)), true) = (model.entries.first_key_value(), self.below(8) > 0) else {
            return StreamId::new(self.below(50), self.below(3));
        };
        let ms = first.ms + self.below(1 + model.last.ms.saturating_sub(first.ms).min(1_000_000));
        let near = StreamId::new(ms, self.below(3));
        model.entries.range(near..).next().map_or(near, |(&id, _)| id)
    }

    fn later(&mut self, last: StreamId) -> StreamId {
        let StreamId { ms, seq } = last;
        match self.below(20) {
            0 => StreamId::new(ms + self.below(100_000), seq + 1 + self.below(70_000)),
            1..8 => StreamId::new(ms, seq + 1),
            _ => StreamId::new(ms + 1 + self.below(3), self.below(2)),
        }
    }
}

fn random_edit(dice: &mut Dice, model: &Model, visit: impl FnOnce(StreamEdit<'_>)) {
    use StreamEdit as E;
    let (framed, group, consumer) = (dice.fields(), dice.name(), dice.name());
    let (group, consumer) = (&group[..], &consumer[..]);
    let (id, at) = (dice.id(model), dice.below(5) as i64);
    let read = (dice.below(3) > 0).then(|| dice.below(10));
    visit(match dice.below(100) {
        0..40 => {
            E::Add { id: dice.later(model.last), fields: Fields::decode(&framed).expect("pairs") }
        }
        40..55 => E::Delete { id },
        55 => E::Trim { keep: dice.below(1 + model.entries.len() as u64) },
        56 => {
            let last = StreamId::new(model.last.ms, model.last.seq + dice.below(2));
            E::Set { last, added: model.added + dice.below(2), max_deleted: id }
        }
        57..60 => E::CreateGroup { group, last: id, read },
        60 if at == 0 => E::DestroyGroup { group },
        61..63 => E::SetGroup { group, last: id, read },
        60 | 63..68 => E::CreateConsumer { group, consumer, at },
        68 => E::DeleteConsumer { group, consumer },
        69..72 => E::See { group, consumer, at, active: at % 2 == 0 },
        72..80 => E::Deliver { group, consumer, to: id, at, read },
        80..88 => E::Assign { group, consumer, id, at, deliveries: dice.below(3) },
        _ => E::Acknowledge { group, id },
    });
}

fn layouts() -> [Rules; 4] {
    let rules = |stream_node_max_bytes, stream_node_max_entries| Rules {
        stream_node_max_bytes,
        stream_node_max_entries,
        ..Rules::default()
    };
    [Rules::default(), rules(4096, 1), rules(100, 0), rules(0, 7)]
}

#[test]
fn a_stream_holds_what_a_map_would() {
    for seed in 0..40 {
        let mut dice = Dice(Random::new(seed));
        let rules = &layouts()[seed as usize % 4];
        let other = &layouts()[(seed as usize + 1) % 4];
        let (mut stream, mut copy, mut model) =
            (Stream::default(), Stream::default(), Model::default());
        for step in 0..2_000 {
            random_edit(&mut dice, &model.clone(), |edit| {
                let changed = stream.apply(edit, rules);
                assert_eq!(changed, model.apply(edit), "seed {seed} step {step}: {edit:?}");
                let mut bytes = Vec::new();
                Stream::encode_edit(edit, &mut bytes);
                let decoded = Stream::decode_edit(&bytes).expect("what was encoded decodes");
                assert_eq!(decoded, edit);
                copy.apply(decoded, other);
            });
            if dice.below(4) == 0 {
                stream.tidy(1);
            }
            let (a, b) = (dice.id(&model), dice.id(&model));
            assert_pending(&stream, &model, a);
            let ids = |range: &mut dyn Iterator<Item = Entry<'_>>| -> Vec<StreamId> {
                range.map(|entry| entry.id).collect()
            };
            if a <= b {
                let expected: Vec<StreamId> = model.entries.range(a..=b).map(|e| *e.0).collect();
                assert_eq!(ids(&mut stream.range(a, b)), expected, "seed {seed} step {step}");
                let mut back = ids(&mut stream.range_back(b, a));
                back.reverse();
                assert_eq!(back, expected, "seed {seed} step {step}");
            }
            assert_eq!(stream.get(a).map(|e| pairs_of(&e)), model.entries.get(&a).cloned());
            assert_eq!(stream.first().map(|e| e.id), model.entries.keys().next().copied());
            assert_eq!(stream.last().map(|e| e.id), model.entries.keys().last().copied());
            if step % 100 == 99 {
                stream.check_invariants(rules);
                assert_eq!(model_of(&stream), model, "seed {seed} step {step}");
                assert_eq!(stream.digest(), copy.digest(), "seed {seed} step {step}");
            }
        }
    }
}

/// What the groups say is pending from `id` on, and at the ends.
fn assert_pending(stream: &Stream, model: &Model, id: StreamId) {
    for (name, expected) in &model.groups {
        let group = stream.group(name).expect("the model has it");
        let told = |pending: &Pending| {
            let owner = group.owner(pending).name().to_vec();
            (
                pending.id,
                ModelPending { owner, at: pending.delivered_at, deliveries: pending.deliveries },
            )
        };
        let modelled = |(id, pending): (&StreamId, &ModelPending)| (*id, pending.clone());
        assert_eq!(group.pending_len(), expected.pending.len());
        assert_eq!(group.last_pending().map(told), expected.pending.last_key_value().map(modelled));
        let found = group.pending(id).map(told).map(|(_, pending)| pending);
        assert_eq!(found, expected.pending.get(&id).cloned());
        let next = group.pending_from(id).map(told).take(5);
        assert!(next.eq(expected.pending.range(id..).map(modelled).take(5)), "{id:?}");
    }
}

#[test]
fn the_edits_of_a_stream_make_it_again() {
    for seed in 0..8 {
        let mut dice = Dice(Random::new(100 + seed));
        let rules = &layouts()[seed as usize % 4];
        let (mut stream, mut model) = (Stream::default(), Model::default());
        for _ in 0..1_500 {
            random_edit(&mut dice, &model.clone(), |edit| {
                model.apply(edit);
                stream.apply(edit, rules);
            });
        }
        let mut copy = Stream::default();
        stream.for_each_edit(&mut |edit| {
            copy.apply(edit, rules);
        });
        assert_eq!(model_of(&copy), model, "seed {seed}");
        assert_eq!(copy.digest(), stream.digest());
    }
}

#[test]
fn a_cut_or_altered_edit_never_panics() {
    let mut dice = Dice(Random::new(5));
    let mut model = Model::default();
    for _ in 0..300 {
        random_edit(&mut dice, &model.clone(), |edit| {
            model.apply(edit);
            let mut bytes = Vec::new();
            Stream::encode_edit(edit, &mut bytes);
            for cut in 0..bytes.len() {
                let whole = Stream::decode_edit(&bytes[..cut]);
                let shorter_add = matches!(edit, StreamEdit::Add { .. });
                assert!(whole.is_none() || shorter_add, "{edit:?} cut at {cut}");
            }
            bytes[0] = bytes[0].wrapping_add(1);
            let _ = Stream::decode_edit(&bytes);
        });
    }
}

#[test]
fn the_digest_tells_every_part_of_the_content() {
    use StreamEdit as E;
    let (group, consumer, id) = (&b"g"[..], &b"c"[..], StreamId::new(5, 0));
    let framed = one_pair();
    let fields = Fields::decode(&framed).expect("one pair");
    let history = [
        E::Add { id, fields },
        E::Add { id: StreamId::new(6, 0), fields },
        E::Delete { id },
        E::Set { last: StreamId::new(9, 0), added: 7, max_deleted: id },
        E::CreateGroup { group, last: StreamId::MIN, read: Some(0) },
        E::SetGroup { group, last: id, read: None },
        E::CreateConsumer { group, consumer, at: 1 },
        E::See { group, consumer, at: 2, active: false },
        E::See { group, consumer, at: 2, active: true },
        E::Deliver { group, consumer, to: StreamId::new(6, 0), at: 2, read: None },
        E::Assign { group, consumer, id: StreamId::new(6, 0), at: 2, deliveries: 2 },
        E::Assign { group, consumer, id: StreamId::new(6, 0), at: 3, deliveries: 2 },
        E::Acknowledge { group, id: StreamId::new(6, 0) },
        E::DeleteConsumer { group, consumer },
        E::Trim { keep: 0 },
    ];
    let mut stream = Stream::default();
    let mut digests = vec![stream.digest()];
    for edit in history {
        assert!(stream.apply(edit, &Rules::default()), "{edit:?}");
        assert!(!digests.contains(&stream.digest()), "{edit:?}");
        digests.push(stream.digest());
    }
    assert!(!stream.is_empty(), "a stream stays without entries");
}

fn one_pair() -> Vec<u8> {
    let mut framed = Vec::new();
    Fields::frame(b"field", &mut framed);
    Fields::frame(b"value", &mut framed);
    framed
}

fn filled(count: u64, rules: &Rules) -> Stream {
    let framed = one_pair();
    let fields = Fields::decode(&framed).expect("one pair");
    let mut stream = Stream::default();
    for ms in 1..=count {
        assert!(stream.apply(StreamEdit::Add { id: StreamId::new(ms, 0), fields }, rules));
    }
    stream
}

#[test]
fn approximate_trimming_takes_whole_blocks() {
    let stream = filled(1_000, &Rules::default());
    assert_eq!(stream.blocks(), 10);
    let max_len = |keep, limit| stream.trim_count(Trim::MaxLen(keep), limit);
    assert_eq!(max_len(555, None), 445);
    assert_eq!(max_len(555, Some(0)), 400);
    assert_eq!(max_len(555, Some(399)), 300);
    assert_eq!(max_len(555, Some(50)), 0);
    assert_eq!(max_len(5_000, Some(0)), 0);
    assert_eq!(max_len(0, Some(0)), 1_000);
    let min_id = |ms, limit| stream.trim_count(Trim::MinId(StreamId::new(ms, 0)), limit);
    assert_eq!(min_id(555, None), 554);
    assert_eq!(min_id(555, Some(0)), 500);
    assert_eq!(min_id(501, Some(0)), 500);
    assert_eq!(min_id(501, Some(450)), 400);
    assert_eq!(min_id(9_000, None), 1_000);
    assert_eq!(min_id(0, None), 0);
}

#[test]
fn a_deleted_entry_still_counts_towards_the_end_of_its_block() {
    let mut stream = filled(50, &Rules::default());
    for ms in 1..50 {
        stream.apply(StreamEdit::Delete { id: StreamId::new(ms, 0) }, &Rules::default());
    }
    let framed = one_pair();
    let fields = Fields::decode(&framed).expect("one pair");
    for ms in 51..=101 {
        let edit = StreamEdit::Add { id: StreamId::new(ms, 0), fields };
        stream.apply(edit, &Rules::default());
        assert_eq!(stream.blocks(), if ms <= 100 { 1 } else { 2 });
    }
}

#[test]
fn a_stream_is_taken_apart_in_slices() {
    use StreamEdit as E;
    let rules = Rules { stream_node_max_entries: 10, ..Rules::default() };
    let mut stream = filled(10_000, &rules);
    for group in [&b"a"[..], b"b"] {
        stream.apply(E::CreateGroup { group, last: StreamId::MIN, read: None }, &rules);
        for consumer in [&b"x"[..], b"y"] {
            stream.apply(E::CreateConsumer { group, consumer, at: 0 }, &rules);
            let to = StreamId::new(if consumer == b"x" { 4_000 } else { 10_000 }, 0);
            stream.apply(E::Deliver { group, consumer, to, at: 0, read: None }, &rules);
        }
    }
    stream.check_invariants(&rules);
    let mut slices = 0;
    while stream.dismantle(16) {
        slices += 1;
        assert!(slices < 1_000);
    }
    assert!(slices > 60, "{slices}");
}

#[test]
fn what_a_large_trim_and_a_large_group_leave_is_freed_later() {
    use StreamEdit as E;
    let rules = Rules { stream_node_max_entries: 10, ..Rules::default() };
    let mut stream = filled(20_000, &rules);
    let (group, consumer, to) = (&b"g"[..], &b"c"[..], StreamId::new(20_000, 0));
    stream.apply(E::CreateGroup { group, last: StreamId::MIN, read: None }, &rules);
    stream.apply(E::CreateConsumer { group, consumer, at: 0 }, &rules);
    stream.apply(E::Deliver { group, consumer, to, at: 0, read: None }, &rules);
    let whole = stream.heap_bytes();
    assert!(stream.apply(E::Trim { keep: 1_234 }, &rules));
    assert!(stream.apply(E::DestroyGroup { group }, &rules));
    stream.check_invariants(&rules);
    assert_eq!(stream.len(), 1_234);
    assert_eq!(stream.first().map(|entry| entry.id.ms), Some(18_767));
    let mut debris = stream.take_debris(&rules).expect("there is much to free");
    assert!(stream.take_debris(&rules).is_none());
    assert!(debris.heap_bytes() > whole / 2);
    assert!(stream.heap_bytes() < whole / 5);
    let mut slices = 0;
    while debris.dismantle(100) {
        slices += 1;
    }
    assert!(slices > 10, "{slices}");
    assert!(stream.apply(E::Trim { keep: 1_000 }, &rules));
    assert!(stream.take_debris(&rules).is_none(), "little is freed at once");
}

/// XGROUP DELCONSUMER took every pending entry out of the group by itself: 198 ms for a million of
/// two million. Now it takes their count.
#[test]
fn what_a_deleted_consumer_had_pending_is_gone_at_once_and_taken_out_later() {
    use StreamEdit as E;
    let rules = Rules::default();
    let mut stream = filled(30_000, &rules);
    let (group, to) = (&b"g"[..], StreamId::new(30_000, 0));
    stream.apply(E::CreateGroup { group, last: StreamId::MIN, read: None }, &rules);
    for consumer in [&b"a"[..], b"b", b"c"] {
        stream.apply(E::CreateConsumer { group, consumer, at: 0 }, &rules);
    }
    stream.apply(E::Deliver { group, consumer: b"b", to, at: 1, read: None }, &rules);
    let others: Vec<StreamId> = (1..=900).map(|ms| StreamId::new(ms * 7, 0)).collect();
    for (step, &id) in others.iter().enumerate() {
        let consumer: &[u8] = if step % 3 == 0 { b"a" } else { b"c" };
        stream.apply(E::Assign { group, consumer, id, at: 2, deliveries: step as u64 }, &rules);
    }
    let full = stream.heap_bytes();
    assert!(stream.apply(E::DeleteConsumer { group, consumer: b"b" }, &rules));
    assert!(stream.apply(E::CreateConsumer { group, consumer: b"b", at: 3 }, &rules));
    let as_promised = |stream: &Stream| {
        stream.check_invariants(&rules);
        let found = stream.group(group).expect("the group stays");
        assert!(found.pending_from(StreamId::MIN).map(|entry| entry.id).eq(others.iter().copied()));
        assert_eq!(found.last_pending().map(|entry| entry.id), others.last().copied());
        assert_eq!(found.pending(others[899]).map(|entry| entry.deliveries), Some(899));
        assert_eq!(found.pending(StreamId::new(1, 0)), None);
        let owned: Vec<usize> = found.consumers().map(|one| one.pending_len()).collect();
        assert_eq!((owned, found.pending_len()), (vec![300, 0, 600], 900));
    };
    as_promised(&stream);
    assert!(!stream.apply(E::Acknowledge { group, id: StreamId::new(1, 0) }, &rules));
    let mut debris = stream.take_debris(&rules).expect("its own list is to be freed");
    while debris.dismantle(10) {}
    let mut slices = 0;
    while stream.is_untidy() {
        stream.tidy(10);
        as_promised(&stream);
        slices += 1;
    }
    assert!((20..60).contains(&slices), "{slices} slices for 235 leaves");
    assert!(stream.heap_bytes() < full - 1_000_000, "{} of {full} bytes", stream.heap_bytes());
}

#[test]
fn a_consumer_that_has_all_that_is_pending_takes_the_list_along() {
    use StreamEdit as E;
    let rules = Rules::default();
    let mut stream = filled(20_000, &rules);
    let (group, consumer, to) = (&b"g"[..], &b"c"[..], StreamId::new(20_000, 0));
    stream.apply(E::CreateGroup { group, last: StreamId::MIN, read: None }, &rules);
    stream.apply(E::CreateConsumer { group, consumer, at: 0 }, &rules);
    stream.apply(E::Deliver { group, consumer, to, at: 0, read: None }, &rules);
    assert!(stream.apply(E::DeleteConsumer { group, consumer }, &rules));
    stream.check_invariants(&rules);
    assert!(!stream.is_untidy());
    let mut debris = stream.take_debris(&rules).expect("there is much to free");
    let mut slices = 0;
    while debris.dismantle(10) {
        slices += 1;
    }
    assert!(slices > 30, "{slices}");
}

#[test]
fn a_small_stream_is_small() {
    assert!(size_of::<Stream>() <= 24);
    let stream = filled(1, &Rules::default());
    assert!(stream.heap_bytes() < 230, "{}", stream.heap_bytes());
    let stream = filled(10_000, &Rules::default());
    assert!(stream.heap_bytes() < 120_000, "{}", stream.heap_bytes());
}
