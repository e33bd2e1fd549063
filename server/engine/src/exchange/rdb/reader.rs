//! Reading an RDB file, key by key.

use std::io::Read;

use super::super::{Fault, Limits, ReadError, Window};
use super::measure::Measure;
use super::{HEADER_BYTES, SUMMED_FROM, opcode};
use crate::base::time::UnixMillis;
use crate::value::Rules;
use crate::value::rdb::{Content, Dialect, Form, Input, decode_content, footer};

/// A key as the file tells it.
pub struct Record<'r> {
    pub db: u64,
    pub key: &'r [u8],
    pub expiry: Option<UnixMillis>,
    /// The type byte, as the file has it.
    pub number: u8,
    pub form: Form,
    /// The value, undecoded.
    pub body: &'r [u8],
    /// Where its type byte stands.
    pub offset: u64,
    string_bytes_max: usize,
}

impl Record<'_> {
    /// The value; collections follow `rules`.
    ///
    /// # Errors
    /// [`Fault::Value`].
    pub fn content(&self, rules: &Rules) -> Result<Content<'_>, ReadError> {
        let input = Input::new(self.body, self.string_bytes_max);
        decode_content(self.form, input, rules).map_err(|_| {
            let (key, number) = (self.key.to_vec(), self.number);
            Fault::Value { key, number }.at(self.offset)
        })
    }

    /// The value as DUMP would have answered it, of a version that the oldest server which knows
    /// this form takes: for RESTORE.
    pub fn payload(&self, out: &mut Vec<u8>) {
        out.clear();
        out.push(self.number);
        out.extend_from_slice(self.body);
        footer::seal(out, footer::version_of(self.form));
    }
}

/// What a file holds beside keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The version in the header.
    pub version: u16,
    /// What wrote it, such as `7.0.15`.
    pub writer: String,
    /// Libraries of functions, which were passed over.
    pub functions: u64,
    /// Keys that nobody wanted.
    pub passed: u64,
}

/// An RDB file that is being read.
pub struct RdbReader<R> {
    window: Window<R>,
    limits: Limits,
    dialect: Dialect,
    db: u64,
    key: Vec<u8>,
    notes: Notes,
    /// The file may go on behind its end: it is the front of an append-only file.
    goes_on: bool,
}

impl<R: Read> RdbReader<R> {
    /// Reads the header. With `sums` the checksum at the end is compared.
    ///
    /// # Errors
    /// When it is no RDB file or of a version that is not known.
    pub fn open(source: R, limits: Limits, sums: bool) -> Result<RdbReader<R>, ReadError> {
        RdbReader::over(Window::new(source), limits, sums)
    }

    /// As [`RdbReader::open`], of what a window stands before.
    ///
    /// # Errors
    /// As [`RdbReader::open`].
    pub fn over(
        mut window: Window<R>,
        limits: Limits,
        sums: bool,
    ) -> Result<RdbReader<R>, ReadError> {
        let offset = window.offset();
        if sums {
            window.start_sum();
        }
        let header = window.array::<HEADER_BYTES>()?;
        let digits = header.strip_prefix(b"REDIS").or(header.strip_prefix(b"VALKEY"));
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let digits = digits.ok_or(Fault::NotRdb.at(offset))?;
        let text = || String::from_utf8_lossy(digits).into_owned();
        let number = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        let dialect = footer::dialect(number)
            .filter(|dialect| number > 0 && (*dialect == Dialect::Valkey) == (digits.len() == 3))
            .ok_or_else(|| Fault::Version(text()).at(offset))?;
        let notes = Notes { version: number, ..Notes::default() };
        let (db, key, goes_on) = (0, Vec::new(), false);
        Ok(RdbReader { window, limits, dialect, db, key, notes, goes_on })
    }

    /// What follows the end is not for this reader, and no fault.
    pub fn goes_on(&mut self) {
        self.goes_on = true;
    }

    /// Where the reader stands.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// What has been learned beside keys.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// What follows the end, when that is reached.
    pub fn into_window(self) -> Window<R> {
        self.window
    }

    /// The next key that `wanted` says yes to; `None` at the end, when the checksum has proved
    /// right. Other keys are passed over undecoded.
    ///
    /// # Errors
    /// What is wrong with the file. There is no going on.
    pub fn next(
        &mut self,
        mut wanted: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<Option<Record<'_>>, ReadError> {
        let mut expiry = None;
        loop {
            self.window.unmark();
            let offset = self.window.offset();
            let number = self.window.byte()?;
            match number {
                opcode::END => return self.end().map(|()| None),
                opcode::EXPIRY_MS => {
                    expiry = Some(UnixMillis(i64::from_le_bytes(self.window.array::<8>()?)));
                    continue;
                }
                opcode::EXPIRY_SECONDS => {
                    let seconds = i32::from_le_bytes(self.window.array::<4>()?);
                    expiry = Some(UnixMillis(i64::from(seconds) * 1000));
                    continue;
                }
                opcode::FIRST.. => {
                    self.aside(number, offset)?;
                    continue;
                }
                _ => {}
            }
            self.read_key()?;
            let form = self.form_of(number, offset)?;
            let is_wanted = wanted(self.db, &self.key);
            if is_wanted {
                self.window.mark();
            }
            self.measure().value(form)?;
            if is_wanted {
                return Ok(Some(self.record(number, form, expiry, offset)));
            }
            self.notes.passed += 1;
            expiry = None;
        }
    }

    fn record(&self, number: u8, form: Form, expiry: Option<UnixMillis>, at: u64) -> Record<'_> {
        Record {
            db: self.db,
            key: &self.key,
            expiry,
            number,
            form,
            body: self.window.marked(),
            offset: at,
            string_bytes_max: self.limits.string_bytes_max,
        }
    }

    fn measure(&mut self) -> Measure<'_, R> {
        let string_bytes_max = self.limits.string_bytes_max as u64;
        Measure { window: &mut self.window, string_bytes_max }
    }

    /// A record that is no key.
    fn aside(&mut self, number: u8, offset: u64) -> Result<(), ReadError> {
        let mut measure = self.measure();
        match number {
            opcode::SELECT => {
                self.db = measure.number()?;
                let databases = self.limits.databases;
                if self.db >= databases {
                    return Err(Fault::Database { number: self.db, databases }.at(offset));
                }
                Ok(())
            }
            opcode::RESIZE => measure.number().and(measure.number()).map(|_| ()),
            opcode::IDLE => measure.number().map(|_| ()),
            opcode::FREQUENCY => self.window.skip(1),
            opcode::SLOT_INFO => {
                for _ in 0..3 {
                    measure.number()?;
                }
                Ok(())
            }
            opcode::AUX => self.aux(),
            opcode::FUNCTION => {
                self.notes.functions += 1;
                self.measure().text()
            }
            opcode::FUNCTION_EARLY => Err(Fault::FunctionsEarly.at(offset)),
            opcode::MODULE_DATA => {
                let module = module_name(measure.number()?);
                Err(Fault::ModuleData { module }.at(offset))
            }
            _ => Err(Fault::Opcode(number).at(offset)),
        }
    }

    fn aux(&mut self) -> Result<(), ReadError> {
        let name = self.text()?;
        let value = self.text()?;
        if matches!(name.as_slice(), b"redis-ver" | b"valkey-ver" | b"freehold-ver") {
            self.notes.writer = String::from_utf8_lossy(&value).into_owned();
        }
        Ok(())
    }

    /// A short string.
    fn text(&mut self) -> Result<Vec<u8>, ReadError> {
        self.read_key()?;
        Ok(std::mem::take(&mut self.key))
    }

    /// Reads a string as the key.
    fn read_key(&mut self) -> Result<(), ReadError> {
        let offset = self.window.offset();
        self.window.mark();
        self.measure().text()?;
        let text = Input::new(self.window.marked(), self.limits.string_bytes_max).text();
        let text = text.map_err(|_| Fault::Length.at(offset))?;
        self.key.clear();
        self.key.extend_from_slice(text.bytes(&mut itoa::Buffer::new()));
        self.window.unmark();
        let (bytes, limit) = (self.key.len() as u64, self.limits.key_bytes_max as u64);
        if bytes > limit { Err(Fault::KeyTooLong { bytes, limit }.at(offset)) } else { Ok(()) }
    }

    fn form_of(&mut self, number: u8, offset: u64) -> Result<Form, ReadError> {
        if let Some(form) = Form::in_dialect(number, self.dialect) {
            return Ok(form);
        }
        let key = self.key.clone();
        let fault = match number {
            number if MODULES.contains(&number) => {
                Fault::Module { module: module_name(self.measure().number()?), key, number }
            }
            _ => Fault::Type { key, number },
        };
        Err(fault.at(offset))
    }

    /// The checksum, and that nothing follows.
    fn end(&mut self) -> Result<(), ReadError> {
        let computed = self.window.end_sum();
        let offset = self.window.offset();
        if self.notes.version >= SUMMED_FROM {
            let written = u64::from_le_bytes(self.window.array::<8>()?);
            if let Some(computed) = computed.filter(|_| written != 0)
                && computed != written
            {
                return Err(Fault::Checksum { written, computed }.at(offset));
            }
        }
        if !self.goes_on && !self.window.is_at_end()? {
            return Err(Fault::Trailing.at(self.window.offset()));
        }
        Ok(())
    }
}

/// Types of modules' values.
pub(super) const MODULES: [u8; 2] = [6, 7];

/// The name of a module: nine letters of six bits in front of ten bits of version.
pub(super) fn module_name(id: u64) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letter = |at: u32| char::from(LETTERS[(id >> (10 + 6 * at)) as usize & 63]);
    (0..9).rev().map(letter).collect()
}
