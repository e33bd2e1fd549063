//! Commands as templates: encoded once, filled in per request.
//!
//! A template is the RESP request cut at the places that change: keys (all of one length, so the
//! length is part of the fixed bytes), a value, a TTL. Encoding a request copies the fixed bytes
//! and writes the rest straight behind them, without an allocation.

use freehold_protocol::resp::value::encode_request;

use super::keys::Keys;
use super::mix::{Kind, Operation};
use super::random::{Dice, mix};
use super::values::Values;

const KEY: &str = "__key__";
const VALUE: &str = "__value__";
const TTL: &str = "__ttl__";

/// Milliseconds a written key lives, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TtlRange {
    pub min_ms: u64,
    pub max_ms: u64,
}

impl TtlRange {
    /// The TTL of one write, derived from it so that nothing has to be remembered.
    #[inline]
    pub fn of(self, operation: &Operation) -> u64 {
        let bits = mix(operation.key ^ u64::from(operation.salt) << 32);
        self.min_ms + super::random::scale(bits, self.max_ms - self.min_ms + 1)
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Piece {
    Bytes(Vec<u8>),
    /// The bytes of a key; its length is in the piece before.
    Key,
    /// A value with its length.
    Value,
    /// A TTL in milliseconds with its length.
    Ttl,
}

/// A RESP request with holes.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    pieces: Vec<Piece>,
    /// Keys a request names; more than one only in multi-key commands.
    pub keys: usize,
    pub kind: Kind,
    /// Whether the answer is an array with one element a key.
    pub many: bool,
}

impl Template {
    /// The template of `args`, in which `__key__` stands for a key (also inside an argument),
    /// `__value__` and `__ttl__` for whole arguments.
    ///
    /// # Errors
    /// When there is no argument, or a value or TTL is only part of one.
    pub fn new(args: &[String], keys: &Keys) -> Result<Template, String> {
        let name =
            args.first().ok_or("the command is empty: say for example --command \"PING\"")?;
        let mut pieces = Pieces::default();
        pieces.bytes(format!("*{}\r\n", args.len()).as_bytes());
        for arg in args {
            pieces.argument(arg, keys)?;
        }
        let name = name.to_ascii_uppercase();
        let kind = match name.as_str() {
            "GET" | "MGET" => Kind::Read,
            "SET" | "MSET" | "INCR" => Kind::Write,
            _ => Kind::Other,
        };
        Ok(Template { keys: pieces.keys, pieces: pieces.list, kind, many: name == "MGET" })
    }

    /// Appends the request of `operation`.
    #[inline]
    pub fn encode(&self, operation: &Operation, filler: &Filler<'_>, out: &mut Vec<u8>) {
        let mut company = Company { next: Some(operation.key), dice: None };
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Key => {
                    let key = company.key(operation, filler.keys);
                    filler.keys.write(key, out);
                }
                Piece::Value => write_value(operation, filler.values, out),
                Piece::Ttl => write_number(filler.ttl.map_or(0, |ttl| ttl.of(operation)), out),
            }
        }
    }
}

/// What fills the holes.
pub struct Filler<'a> {
    pub keys: &'a Keys,
    pub values: &'a Values,
    pub ttl: Option<TtlRange>,
}

/// The keys of one request: the drawn one, then others drawn from its salt.
struct Company {
    next: Option<u64>,
    dice: Option<Dice>,
}

impl Company {
    #[inline]
    fn key(&mut self, operation: &Operation, keys: &Keys) -> u64 {
        if let Some(key) = self.next.take() {
            return key;
        }
        let dice = self.dice.get_or_insert_with(|| Dice::new(u64::from(operation.salt)));
        let mut cursor = (operation.key + 1 + dice.next() % 16) % keys.count();
        keys.draw(dice, &mut cursor)
    }
}

#[inline]
fn write_value(operation: &Operation, values: &Values, out: &mut Vec<u8>) {
    let bytes = values.bytes_of(operation.key, operation.salt);
    let mut digits = itoa::Buffer::new();
    out.push(b'$');
    out.extend_from_slice(digits.format(bytes).as_bytes());
    out.extend_from_slice(b"\r\n");
    values.write(operation.key, operation.salt, bytes, out);
    out.extend_from_slice(b"\r\n");
}

fn write_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    let text = digits.format(number);
    let mut length = itoa::Buffer::new();
    out.push(b'$');
    out.extend_from_slice(length.format(text.len()).as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[derive(Default)]
struct Pieces {
    list: Vec<Piece>,
    keys: usize,
}

impl Pieces {
    fn bytes(&mut self, bytes: &[u8]) {
        match self.list.last_mut() {
            Some(Piece::Bytes(last)) => last.extend_from_slice(bytes),
            _ => self.list.push(Piece::Bytes(bytes.to_vec())),
        }
    }

    fn argument(&mut self, arg: &str, keys: &Keys) -> Result<(), String> {
        if arg == VALUE {
            self.list.push(Piece::Value);
            return Ok(());
        }
        if arg == TTL {
            self.list.push(Piece::Ttl);
            return Ok(());
        }
        if let Some(hole) = [VALUE, TTL].iter().find(|hole| arg.contains(**hole)) {
            return Err(format!("{hole} must be an argument of its own, not a part of \"{arg}\""));
        }
        if !arg.contains(KEY) {
            let mut whole = Vec::new();
            encode_request(&[arg.as_bytes()], &mut whole);
            self.bytes(&whole[b"*1\r\n".len()..]);
            return Ok(());
        }
        let parts: Vec<&str> = arg.split(KEY).collect();
        let holes = parts.len() - 1;
        let bytes: usize =
            parts.iter().map(|part| part.len()).sum::<usize>() + holes * keys.bytes();
        self.bytes(format!("${bytes}\r\n").as_bytes());
        for (at, part) in parts.iter().enumerate() {
            self.bytes(part.as_bytes());
            if at < holes {
                self.list.push(Piece::Key);
                self.keys += 1;
            }
        }
        self.bytes(b"\r\n");
        Ok(())
    }
}

/// Splits a command line into arguments; single and double quotes keep spaces together.
///
/// # Errors
/// When a quote is not closed.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut args = Vec::new();
    let mut arg: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => arg.get_or_insert_default().push(letter),
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                arg.get_or_insert_default();
            }
            None if letter.is_whitespace() => args.extend(arg.take()),
            None => arg.get_or_insert_default().push(letter),
        }
    }
    if let Some(open) = quote {
        return Err(format!("a quote {open} in the command is not closed"));
    }
    args.extend(arg);
    Ok(args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::keys::Pattern;
    use crate::workload::values::Sizes;

    fn encoded(line: &str, ttl: Option<TtlRange>) -> String {
        let keys = Keys::new(100, "k:", 6, Pattern::Uniform).expect("valid");
        let values = Values::new(Sizes::Fixed(8));
        let template = Template::new(&split(line).expect("closed"), &keys).expect("a template");
        let operation = Operation { key: 42, since_ns: 0, salt: 1, kind: Kind::Write };
        let mut out = Vec::new();
        template.encode(&operation, &Filler { keys: &keys, values: &values, ttl }, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_holes_are_filled_and_every_length_is_right() {
        assert_eq!(encoded("GET __key__", None), "*2\r\n$3\r\nGET\r\n$6\r\nk:0042\r\n");
        assert_eq!(encoded("GET {__key__}:1", None), "*2\r\n$3\r\nGET\r\n$10\r\n{k:0042}:1\r\n");
        let ttl = Some(TtlRange { min_ms: 500, max_ms: 500 });
        let set = encoded("SET __key__ __value__ PX __ttl__", ttl);
        assert!(set.starts_with("*5\r\n$3\r\nSET\r\n$6\r\nk:0042\r\n$8\r\nAAAB"), "{set}");
        assert!(set.ends_with("\r\n$2\r\nPX\r\n$3\r\n500\r\n"), "{set}");
    }

    #[test]
    fn further_keys_of_a_request_differ_but_repeat_for_the_same_operation() {
        let mget = "MGET __key__ __key__ __key__";
        assert_eq!(encoded(mget, None), encoded(mget, None));
        assert!(encoded(mget, None).starts_with("*4\r\n$4\r\nMGET\r\n$6\r\nk:0042\r\n$6\r\nk:00"));
    }

    #[test]
    fn quotes_keep_spaces_and_an_open_quote_is_refused() {
        assert_eq!(split("SET a 'b c' \"\"").unwrap(), ["SET", "a", "b c", ""]);
        assert!(split("SET 'a").unwrap_err().contains("not closed"));
    }
}
