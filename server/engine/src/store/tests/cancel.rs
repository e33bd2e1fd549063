//! BGSAVE CANCEL at every turn of a save that leaves an RDB file as well: before the cores have
//! cut, while they write their parts, while the file is written, and when all is done.

use super::*;

/// Turns the RDB file takes here.
const FILE_TURNS: u32 = 5;

/// Turns after which a save is done.
const TURNS_MAX: u32 = 60;

/// How far a save has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stage {
    Claimed,
    Writing,
    File,
    Done,
}

/// A node whose saves leave an RDB file, and what it tells of them.
struct Saving {
    keeping: Keeping,
    stage: Stage,
    /// Turns until the file is written.
    file_left: u32,
    told: Vec<Told>,
}

impl Saving {
    /// With keys of which one core has more than the others, so that parts end at other times.
    fn new(cores: u16, seed: u64) -> Saving {
        let mut keeping = Keeping::new(cores, seed);
        let said = keeping.say("CONFIG SET snapshot-format rdb\n");
        assert_eq!(said, "+OK\r\n");
        for hundred in 0..20 {
            let pair = |n| format!(" key:{n} value {{a}}{n} value");
            let pairs: String = (hundred * 100..(hundred + 1) * 100).map(pair).collect();
            assert_eq!(keeping.node.run(&format!("MSET{pairs}")), "+OK\r\n");
        }
        Saving { keeping, stage: Stage::Done, file_left: 0, told: Vec::new() }
    }

    fn snapshots(&self) -> &crate::mesh::Snapshots {
        self.keeping.node.shards[0].snapshots()
    }

    fn begin(&mut self) {
        let client = self.keeping.client;
        self.keeping.node.send(client, b"BGSAVE\r\n");
        self.stage = Stage::Claimed;
    }

    /// One turn of all cores, and of the thread that writes the file.
    fn turn(&mut self) {
        self.keeping.node.advance_ms(5);
        self.keeping.turn();
        if self.stage == Stage::Claimed
            && self.keeping.stores.iter().any(|store| store.cut.is_some())
        {
            self.stage = Stage::Writing;
        }
        if self.stage == Stage::File {
            self.file_left -= 1;
            let goes_on = !self.snapshots().is_cancelled();
            if !goes_on || self.file_left == 0 {
                self.snapshots().end(goes_on, 0);
                self.stage = Stage::Done;
            }
        }
        let told: Vec<Told> = self.keeping.stores.iter_mut().flat_map(Store::take_told).collect();
        if told.iter().any(|told| matches!(told, Told::Committed { rdb: Some(_), .. })) {
            (self.stage, self.file_left) = (Stage::File, FILE_TURNS);
        }
        self.told.extend(told);
    }

    fn parts(&self) -> usize {
        let is_part = |name: &&FileName| {
            matches!(name, FileName::Snapshot { .. } | FileName::SnapshotDraft { .. })
        };
        self.keeping.files.0.keys().filter(is_part).count()
    }

    fn is_read_back(&self, cores: u16, said: &str) {
        let read = read_back(&self.keeping.files, cores, true);
        assert_eq!(read.digest(), self.keeping.node.digest(), "{said}");
    }
}

/// Cancels a save after so many turns by a client of the last core, and saves again; tells how far
/// the save had come.
fn cancelled_after(turns: u32, cores: u16) -> Stage {
    let said = format!("{cores} cores, cancelled after {turns} turns");
    let mut saving = Saving::new(cores, u64::from(turns));
    let by = saving.keeping.node.connect(usize::from(cores) - 1);
    saving.begin();
    (0..turns).for_each(|_| saving.turn());
    let stage = saving.stage;
    saving.keeping.node.send(by, b"BGSAVE CANCEL\r\n");
    (turns..TURNS_MAX).for_each(|_| saving.turn());

    let reply = String::from_utf8_lossy(&saving.keeping.node.output(by)).into_owned();
    let figures = saving.snapshots().figures();
    assert_eq!(figures.running, 0, "{said}");
    assert!(figures.ended_well && figures.failures == 0, "{said}");
    assert_eq!(figures.saved, u64::from(stage == Stage::Done), "{said}");
    let expected = match stage {
        Stage::Done => "-ERR Background saving is currently not in progress or scheduled\r\n",
        _ => "+Background saving cancelled\r\n",
    };
    assert_eq!(reply, expected, "{said}");
    let committed = stage >= Stage::File;
    assert_eq!(saving.keeping.files.0.contains_key(&FileName::Manifest), committed, "{said}");
    let left_over = saving.told.iter().filter(|told| matches!(told, Told::LeftOver { .. })).count();
    assert_eq!(left_over, usize::from(!committed), "{said}");
    let parts_max = usize::from(cores) - usize::from(!committed);
    assert!(saving.parts() <= parts_max, "{said}: {} parts", saving.parts());
    saving.is_read_back(3 - cores, &said);

    saving.keeping.say("SET after 1\n");
    saving.begin();
    (0..TURNS_MAX).for_each(|_| saving.turn());
    let figures = saving.snapshots().figures();
    assert_eq!(
        (figures.running, figures.saved),
        (0, 1 + u64::from(stage == Stage::Done)),
        "{said}"
    );
    assert!(saving.keeping.files.0.contains_key(&FileName::Manifest), "{said}");
    saving.is_read_back(3 - cores, &said);
    stage
}

#[test]
fn a_save_is_cancelled_at_any_stage_and_the_next_one_is_whole() {
    for cores in [1, 2] {
        let mut stages = Vec::new();
        for turns in 0.. {
            stages.push(cancelled_after(turns, cores));
            if stages.last() == Some(&Stage::Done) {
                break;
            }
        }
        assert!(stages.is_sorted(), "{cores} cores: {stages:?}");
        stages.dedup();
        let all = [Stage::Claimed, Stage::Writing, Stage::File, Stage::Done];
        assert_eq!(stages, all, "{cores} cores");
    }
}

/// A BGSAVE and a BGREWRITEAOF that waited for the same snapshot shared the next one, and whoever
/// cancelled the save would have cancelled the rewriting as well.
#[test]
fn a_rewriting_that_was_scheduled_beside_a_save_is_not_cancelled_with_it() {
    for cores in [1, 2] {
        let mut saving = Saving::new(cores, 1);
        let lines = b"BGREWRITEAOF\r\nBGREWRITEAOF\r\nBGSAVE SCHEDULE\r\n";
        saving.keeping.node.send(saving.keeping.client, lines);
        let is_rewriting = |saving: &Saving| {
            saving.snapshots().running() > 0 && saving.snapshots().figures().saved == 1
        };
        let begun = (0..TURNS_MAX).any(|_| {
            saving.turn();
            is_rewriting(&saving)
        });
        assert!(begun, "{cores} cores");
        let client = saving.keeping.client;
        saving.keeping.node.output(client);
        saving.keeping.node.send(client, b"BGSAVE CANCEL\r\n");
        (0..TURNS_MAX).for_each(|_| saving.turn());
        let reply = String::from_utf8_lossy(&saving.keeping.node.output(client)).into_owned();
        assert_eq!(reply, "+Scheduled background saving cancelled\r\n", "{cores} cores");
        let figures = saving.snapshots().figures();
        assert_eq!((figures.running, figures.saved), (0, 2), "{cores} cores");
        let files =
            saving.told.iter().filter(|told| matches!(told, Told::Committed { rdb: Some(_), .. }));
        assert_eq!(files.count(), 0, "{cores} cores: rewriting writes none");
    }
}
