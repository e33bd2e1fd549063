//! A request of an example becomes a request of a walk: its keys are those of the walk, few, so
//! that commands meet; its values and numbers change; its tail grows, so that encodings convert.

use std::collections::VecDeque;

use super::rows::{Focus, Request, Row, Rows, command_of};
use crate::base::random::Random;
use crate::base::time::UnixMillis;
use crate::command::request::OwnedRequest;
use crate::command::spec::Arity;
use crate::command::table::Command;
use crate::value::rdb::footer;

/// Answers worth asking with: what DUMP gave, and identifiers of stream entries.
#[derive(Default)]
pub struct Known {
    dumps: VecDeque<Vec<u8>>,
    ids: VecDeque<Vec<u8>>,
}

impl Known {
    const KEPT: usize = 6;

    /// A bulk string came back.
    pub fn learn(&mut self, bytes: &[u8]) {
        let kept = if is_stream_id(bytes) {
            &mut self.ids
        } else if bytes.len() > 10 && footer::open(bytes).is_some() {
            &mut self.dumps
        } else {
            return;
        };
        if kept.len() == Known::KEPT {
            kept.pop_front();
        }
        kept.push_back(bytes.to_vec());
    }
}

/// One draw of a request.
pub struct Mutation<'a> {
    pub rows: &'a Rows,
    pub focus: Focus,
    pub known: &'a Known,
    pub random: &'a mut Random,
    pub now: UnixMillis,
}

impl Mutation<'_> {
    /// A request of `row`, from the example that `draw` names.
    pub fn request(&mut self, row: &Row, draw: u8) -> Request {
        let mut args = row.requests[usize::from(draw) % row.requests.len()].clone();
        if self.one_in(4) && matches!(row.command.spec.arity, Arity::AtLeast(_)) {
            self.lengthen(&mut args);
        }
        let name_words = 1 + usize::from(row.command.parent.is_some());
        let keys = self.put_keys(row, &mut args);
        if self.one_in(2) {
            for at in (name_words..args.len()).filter(|at| !keys.contains(at)) {
                if self.one_in(3) {
                    args[at] = self.other(row, &args[at]);
                }
            }
        }
        if row.command.spec.name == "RESTORE" {
            self.put_dump(&mut args);
        }
        args
    }

    /// The requests of one of the row's examples as they stand there, but for their keys.
    pub fn script(&mut self, row: &Row) -> Vec<Request> {
        if row.scripts.is_empty() {
            return Vec::new();
        }
        let mut script = self.pick(&row.scripts).clone();
        let mut renamed: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for request in &mut script {
            let Some(command) = command_of(request) else { continue };
            for at in key_places(command, request) {
                let name = &request[at];
                let known = renamed.iter().find(|(old, _)| old == name).map(|(_, new)| new.clone());
                let new = known.unwrap_or_else(|| self.key(command.spec.group));
                renamed.push((name.clone(), new.clone()));
                request[at] = new;
            }
        }
        script
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.random.below(chances) == 0
    }

    fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.random.below(items.len() as u64) as usize]
    }

    /// Puts more of its last one or two arguments behind the request.
    fn lengthen(&mut self, args: &mut Request) {
        let step = 1 + self.random.below(2) as usize;
        let Some(start) = args.len().checked_sub(step).filter(|&start| start > 0) else { return };
        let pattern = args[start..].to_vec();
        for _ in 0..1 + self.random.below(12) {
            for arg in &pattern {
                let number = std::str::from_utf8(arg).is_ok_and(|text| text.parse::<f64>().is_ok());
                args.push(if number { self.small_number() } else { self.member() });
            }
        }
    }

    /// Gives the request keys of the walk; answers with their places.
    fn put_keys(&mut self, row: &Row, args: &mut Request) -> Vec<usize> {
        let keys = key_places(row.command, args);
        for &at in &keys {
            args[at] = self.key(row.command.spec.group);
        }
        keys
    }

    /// A key of the family mostly, so that its type is the right one, or of one in focus.
    fn key(&mut self, family: &'static str) -> Vec<u8> {
        let families = &self.rows.families;
        let own = family != "generic" && families.iter().any(|known| known.name == family);
        let family = match self.random.below(16) {
            0 => self.pick(families).name,
            3.. if own => family,
            n => families[self.focus[n as usize % 2]].name,
        };
        match self.random.below(12) {
            0 => [family.as_bytes(), &[b'k'; 300]].concat(),
            1..4 => format!("{{t}}{family}").into_bytes(),
            n => format!("{family}:{}", n % 2).into_bytes(),
        }
    }

    /// What stands in place of an argument: something of the same sort mostly. Options and other
    /// words of the syntax are left alone, or hardly a request would be a right one.
    fn other(&mut self, row: &Row, arg: &[u8]) -> Vec<u8> {
        let text = std::str::from_utf8(arg).unwrap_or_default();
        let is_word = arg.len() == 1 && arg[0].is_ascii_punctuation()
            || arg.len() > 1 && arg.iter().all(u8::is_ascii_uppercase);
        if is_word && !self.one_in(16) {
            return arg.to_vec();
        }
        match self.random.below(16) {
            0 => {
                let request = self.pick(&row.requests);
                self.pick(request).clone()
            }
            1 => self.long_text(),
            2 => self.member(),
            3 => self.number(0),
            _ if text.parse::<i64>().is_ok() => self.number(text.parse().unwrap_or(0)),
            _ if text.parse::<f64>().is_ok() => self.fraction(),
            _ if is_stream_id(arg) => self.stream_id(),
            _ => self.member(),
        }
    }

    /// Few, so that they meet, and yet more than fit a small encoding.
    fn member(&mut self) -> Vec<u8> {
        match self.random.below(20) {
            0 => self.long_text(),
            1 => b"\x00\xff\r\n".to_vec(),
            2 => Vec::new(),
            3..8 => self.small_number(),
            n => format!("m{n}").into_bytes(),
        }
    }

    fn small_number(&mut self) -> Vec<u8> {
        self.random.below(24).to_string().into_bytes()
    }

    fn long_text(&mut self) -> Vec<u8> {
        let length = *self.pick(&[17, 45, 64, 65, 130, 1100]);
        let letter = *self.pick(b"ab");
        vec![letter; length]
    }

    /// Numbers near this one, at the borders of their types, and times that are about to come.
    fn number(&mut self, near: i64) -> Vec<u8> {
        const BORDERS: [i64; 9] =
            [i64::MAX, i64::MIN, 1 << 31, 1 << 32, 1 << 53, 255, 256, -129, 65_536];
        let number = match self.random.below(12) {
            0 => near.wrapping_add(1),
            1 => near.wrapping_sub(1),
            2 => near.wrapping_neg(),
            3..6 => self.random.below(10) as i64,
            6 | 7 => self.random.below(2000) as i64,
            8 => self.now.0 + self.random.below(3000) as i64,
            9 => self.now.0 / 1000 + self.random.below(4) as i64,
            10 => -(self.random.below(10) as i64),
            _ => *self.pick(&BORDERS),
        };
        number.to_string().into_bytes()
    }

    fn fraction(&mut self) -> Vec<u8> {
        let n = self.random.below(100) as i64 - 50;
        match self.random.below(8) {
            0 => self.pick(&["inf", "-inf", "nan", "1e308", "-0", "1e-9"]).as_bytes().to_vec(),
            1 => n.to_string().into_bytes(),
            _ => format!("{n}.5").into_bytes(),
        }
    }

    fn stream_id(&mut self) -> Vec<u8> {
        let small = format!("{}-{}", self.random.below(6), self.random.below(4));
        match self.random.below(8) {
            0..4 if !self.known.ids.is_empty() => {
                let at = self.random.below(self.known.ids.len() as u64) as usize;
                self.known.ids[at].clone()
            }
            4 => small.into_bytes(),
            5 => b"0".to_vec(),
            6 => format!("{}-0", self.now.0 + 5000).into_bytes(),
            _ => b"*".to_vec(),
        }
    }

    /// RESTORE brings back what DUMP told, mostly over what is there.
    fn put_dump(&mut self, args: &mut Request) {
        if self.known.dumps.is_empty() || args.len() < 4 || self.one_in(4) {
            return;
        }
        let at = self.random.below(self.known.dumps.len() as u64) as usize;
        args[3] = self.known.dumps[at].clone();
        if !self.one_in(3) {
            args.truncate(4);
            args[2] = if self.one_in(2) { b"0".to_vec() } else { self.number(100) };
            args.push(b"REPLACE".to_vec());
        }
    }
}

/// Where the keys of a request stand.
fn key_places(command: &'static Command, args: &Request) -> Vec<usize> {
    let request = OwnedRequest::new(command, args.iter().map(Vec::as_slice));
    let mut places = command.spec.key_positions(request.args()).unwrap_or_default();
    places.retain(|&at| at < args.len());
    places
}

fn is_stream_id(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.split_once('-').is_some_and(|(ms, seq)| {
        !ms.is_empty() && [ms, seq].iter().all(|part| part.parse::<u64>().is_ok())
    })
}
