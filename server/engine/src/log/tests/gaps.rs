//! Logs that lack records: what a start says of them, and what it must not take for a gap.

use freehold_protocol::slot::Slot;

use super::*;

const KEY: &[u8] = b"k";

impl Writer {
    /// Changes of the key up to this one are lost, and with them every trace but their numbers.
    pub fn lose_up_to(&mut self, key: &[u8], number: u64) {
        self.records.resume(Slot::of_key(key), number);
    }
}

fn replayed(files: &mut Memory, numbers: Numbers) -> Result<u64, LogError> {
    let examined = examine(files, LOG).expect("every record that is there is whole");
    let findings = Findings::new(examined.into_iter().collect());
    let mut effects = 0;
    Replay::new(&findings, 0..16384, numbers).run(files, |_| effects += 1)?;
    Ok(effects)
}

#[test]
fn records_missing_between_others_are_missed_and_the_place_is_told() {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.delete(KEY);
    writer.settle();
    writer.lose_up_to(KEY, 4);
    let offset = writer.log.bytes() + 32; // behind the head of the next batch
    writer.delete(KEY);
    writer.settle();
    let slot = Slot::of_key(KEY);
    for numbers in [Numbers::FromOne, Numbers::FromAny] {
        let error = replayed(&mut writer.files, numbers).unwrap_err();
        let gap = LogError::Gap { file: LOG, offset, slot, highest: 1, number: 5 };
        assert_eq!(error, gap);
        let said = error.to_string();
        let place = format!("{LOG}, at offset {offset}, slot {}", slot.number());
        for part in [place.as_str(), "change 5", "is 1.", "`freehold check --help`"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    assert_eq!(replayed(&mut writer.files, Numbers::Unchecked), Ok(2));
}

#[test]
fn a_log_that_begins_in_the_middle_needs_a_snapshot() {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.lose_up_to(KEY, 6);
    writer.delete(KEY);
    writer.settle();
    let error = replayed(&mut writer.files, Numbers::FromOne).unwrap_err();
    assert!(matches!(error, LogError::Gap { highest: 0, number: 7, .. }), "{error}");
    assert_eq!(replayed(&mut writer.files, Numbers::FromAny), Ok(1));
}

#[test]
fn the_numbers_of_a_part_that_is_left_out_are_not_missed() {
    let lacking = Part { ticket: 9, members: vec![0, 1], locked: true };
    let mut writer = Writer::new(0, 2, Appendfsync::Always);
    writer.delete(KEY);
    writer.part(&lacking, KEY);
    writer.delete(KEY);
    writer.settle();
    assert_eq!(replayed(&mut writer.files, Numbers::FromOne), Ok(2));
}
