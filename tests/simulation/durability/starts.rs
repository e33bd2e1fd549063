//! What starts cost: logs of earlier lives add up until a snapshot releases them, and a start on a
//! slow disk, which synced each of them and the directory for each, took minutes.

use freehold_engine::config::Appendfsync;
use freehold_tests::crash::Crash;
use freehold_tests::random::Random;

use super::disk::{Disk, Lies};
use super::host::{Host, recover};

/// A life in which every core writes, until all of it has been told.
pub fn live(disk: &mut Disk, cores: u16, random: &mut Random) -> u128 {
    let recovered = recover(disk, cores, Appendfsync::Always, None).expect("all is whole");
    let mut host = Host::begin(recovered, 1, None, disk);
    let at = host.clients[0].at;
    for key in 0..64 {
        host.node.send(at, format!("RPUSH key:{key} value\r\n").as_bytes());
    }
    for _ in 0..400 {
        host.now.mono_us += 1_000;
        (0..usize::from(cores)).for_each(|core| host.turn(core, disk));
        while host.complete_one(disk, random) {}
    }
    let told = host.clients[0].received.iter().filter(|byte| **byte == b':').count();
    assert_eq!(told, 64, "every write is acknowledged");
    host.node.digest()
}

#[test]
fn a_start_makes_no_more_syncs_the_more_lives_there_were() {
    for changes_cores in [false, true] {
        let (mut random, mut disk) = (Random::new(7), Disk::new(Lies::default()));
        for life in 0..20 {
            let cores = if changes_cores { 1 + life % 3 } else { 2 };
            let held = live(&mut disk, cores, &mut random);
            // Only the process dies: its files hold more than the disk does.
            disk = disk.after(Crash::Process, &mut random);
            let before = disk.start_syncs;
            let after = recover(&mut disk, 2, Appendfsync::Always, None).expect("all is whole");
            let syncs = disk.start_syncs - before;
            assert!(syncs <= u64::from(cores) + 1, "life {life}: {syncs} syncs");
            assert_eq!(after.node.digest(), held, "life {life}");

            let mut gone = disk.after(Crash::LosesAll, &mut random);
            let after = recover(&mut gone, 3, Appendfsync::Always, None).expect("all is whole");
            assert_eq!(after.node.digest(), held, "life {life}: what was read was durable");
        }
    }
}
