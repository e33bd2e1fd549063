//! Which endpoint owns which slot, and how that is learned.
//!
//! CLUSTER SLOTS names an endpoint for every range of slots: another host, or, in Freehold's core
//! view, another port of the same host. A [`Router`] keeps the map; a MOVED answer corrects one
//! slot of it, a refresh replaces it. Endpoints keep their index for a whole phase, because
//! connections and backlogs are filed under it.

use std::sync::Arc;

use freehold_protocol::resp::value::Value;
use freehold_protocol::slot::{SLOT_COUNT, Slot};

use crate::session::{Address, Login, ask_once};
use crate::workload::Keys;

/// The owner of each slot as an index into the addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotMap {
    owners: Vec<u16>,
    pub addresses: Vec<Address>,
}

impl SlotMap {
    /// Asks `seed` for its map.
    ///
    /// # Errors
    /// When it cannot be reached or is no cluster.
    pub fn fetch(seed: &Address, login: &Login) -> Result<SlotMap, String> {
        let value = ask_once(seed, login, &["CLUSTER", "SLOTS"])?;
        SlotMap::read(&value, seed)
    }

    /// Reads an answer to CLUSTER SLOTS; an empty host means the one that was asked.
    ///
    /// # Errors
    /// When it is an error, covers no slot, or has another shape.
    fn read(value: &Value, seed: &Address) -> Result<SlotMap, String> {
        let ranges = match value {
            Value::Array(ranges) if !ranges.is_empty() => ranges,
            Value::Array(_) => return Err(format!("{seed} knows no slots yet; wait or add nodes")),
            Value::Error(text) => {
                return Err(format!(
                    "{seed} answered {} to CLUSTER SLOTS. Remedy: leave --cluster out, or enable \
                     cluster mode in the server",
                    String::from_utf8_lossy(text)
                ));
            }
            other => return Err(format!("CLUSTER SLOTS answered {other:?}")),
        };
        let mut map = SlotMap { owners: vec![0; usize::from(SLOT_COUNT)], addresses: Vec::new() };
        for range in ranges {
            let (first, last, address) = slot_range(range, seed).ok_or_else(|| {
                format!("CLUSTER SLOTS holds a range of another shape: {range:?}")
            })?;
            let endpoint = map.endpoint(&address);
            map.owners[first..=last].fill(endpoint as u16);
        }
        Ok(map)
    }

    /// The index of an address, which is added when it is new.
    fn endpoint(&mut self, address: &Address) -> usize {
        self.addresses.iter().position(|known| known == address).unwrap_or_else(|| {
            self.addresses.push(address.clone());
            self.addresses.len() - 1
        })
    }
}

/// `[first, last, [host, port, …], replicas…]`.
fn slot_range(range: &Value, seed: &Address) -> Option<(usize, usize, Address)> {
    let Value::Array(fields) = range else { return None };
    let [Value::Integer(first), Value::Integer(last), Value::Array(leader), ..] = &fields[..]
    else {
        return None;
    };
    let [host, Value::Integer(port), ..] = &leader[..] else { return None };
    let host = match host {
        Value::Bulk(host) if !host.is_empty() && host != b"?" => {
            String::from_utf8(host.clone()).ok()?
        }
        Value::Bulk(_) | Value::Null => host_of(seed),
        _ => return None,
    };
    let (first, last) = (usize::try_from(*first).ok()?, usize::try_from(*last).ok()?);
    let address = Address::Tcp { host, port: u16::try_from(*port).ok()? };
    (first <= last && last < usize::from(SLOT_COUNT)).then_some((first, last, address))
}

fn host_of(address: &Address) -> String {
    match address {
        Address::Tcp { host, .. } => host.clone(),
        Address::Unix(_) => "127.0.0.1".into(),
    }
}

/// Finds the endpoint of a key.
pub struct Router {
    keys: Arc<Keys>,
    /// Absent in plain mode, where the only endpoint owns everything.
    map: Option<SlotMap>,
    plain: [Address; 1],
    scratch: Vec<u8>,
}

impl Router {
    pub fn new(keys: Arc<Keys>, seed: Address, map: Option<SlotMap>) -> Router {
        Router { keys, map, plain: [seed], scratch: Vec::new() }
    }

    pub fn addresses(&self) -> &[Address] {
        self.map.as_ref().map_or(&self.plain, |map| &map.addresses)
    }

    #[inline]
    pub fn endpoint_of(&mut self, key: u64) -> usize {
        let Some(map) = &self.map else { return 0 };
        self.scratch.clear();
        self.keys.write(key, &mut self.scratch);
        usize::from(map.owners[Slot::of_key(&self.scratch).index()])
    }

    /// Follows `MOVED <slot> <host>:<port>` said by `from`; returns the endpoint it names, or
    /// nothing in plain mode or when the text is of another shape.
    pub fn follow(&mut self, text: &str, from: usize) -> Option<usize> {
        let map = self.map.as_mut()?;
        let mut words = text.split(' ').skip(1);
        let slot = Slot::new(words.next()?.parse().ok()?)?;
        let (host, port) = words.next()?.rsplit_once(':')?;
        let host = match host.trim_matches(['[', ']']) {
            "" => host_of(&map.addresses[from]),
            host => host.to_owned(),
        };
        let endpoint = map.endpoint(&Address::Tcp { host, port: port.trim().parse().ok()? });
        map.owners[slot.index()] = endpoint as u16;
        Some(endpoint)
    }

    /// Takes over a fresh map, keeping the indices of the addresses already known.
    pub fn replace(&mut self, fresh: &SlotMap) {
        let Some(map) = &mut self.map else { return };
        let indices: Vec<u16> =
            fresh.addresses.iter().map(|address| map.endpoint(address) as u16).collect();
        for (owner, new) in map.owners.iter_mut().zip(&fresh.owners) {
            *owner = indices[usize::from(*new)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Pattern;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp { host: host.into(), port }
    }

    fn range(first: i64, last: i64, host: &str, port: i64) -> Value {
        let leader =
            vec![Value::Bulk(host.into()), Value::Integer(port), Value::Bulk(b"id".into())];
        Value::Array(vec![Value::Integer(first), Value::Integer(last), Value::Array(leader)])
    }

    fn map() -> SlotMap {
        let answer = Value::Array(vec![
            range(0, 8191, "", 7001),
            range(8192, 16382, "10.0.0.2", 7002),
            range(16383, 16383, "", 7001),
        ]);
        SlotMap::read(&answer, &tcp("seed", 7000)).expect("a map")
    }

    #[test]
    fn an_empty_host_is_the_one_that_was_asked() {
        let map = map();
        assert_eq!(map.addresses, [tcp("seed", 7001), tcp("10.0.0.2", 7002)]);
        assert_eq!((map.owners[0], map.owners[8192], map.owners[16383]), (0, 1, 0));
    }

    #[test]
    fn a_server_without_cluster_mode_is_explained() {
        let error = Value::Error(b"ERR This instance has cluster support disabled".to_vec());
        let said = SlotMap::read(&error, &tcp("h", 1)).unwrap_err();
        assert!(said.contains("--cluster"), "{said}");
    }

    #[test]
    fn moved_corrects_one_slot_and_may_name_a_new_endpoint() {
        let keys = Arc::new(Keys::new(1000, "key:", 16, Pattern::Uniform).expect("valid"));
        let mut router = Router::new(keys, tcp("seed", 7000), Some(map()));
        let slot = Slot::of_key(b"key:000000000005").number();
        assert_eq!(router.follow(&format!("MOVED {slot} :7003"), 0), Some(2));
        assert_eq!(router.endpoint_of(5), 2);
        assert_eq!(router.addresses()[2], tcp("seed", 7003));
        assert_eq!(router.follow("MOVED x y", 0), None);

        router.replace(&map());
        assert_ne!(router.endpoint_of(5), 2, "a fresh map overrules what was learned");
        assert_eq!(router.addresses().len(), 3, "endpoints keep their index");
    }
}
