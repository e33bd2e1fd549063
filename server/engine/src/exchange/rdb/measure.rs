//! How far a value goes: its form is walked without being understood. So a value that is longer
//! than the window is brought together before it is decoded, and one that nobody wants is passed
//! over at the price of its lengths.

use std::io::Read;

use super::super::{Fault, ReadError, Window};
use crate::value::rdb::Form;

/// Passes over pieces of values.
pub(super) struct Measure<'w, R> {
    pub window: &'w mut Window<R>,
    pub string_bytes_max: u64,
}

type Passed = Result<(), ReadError>;

impl<R: Read> Measure<'_, R> {
    /// A length or any other number.
    pub fn number(&mut self) -> Result<u64, ReadError> {
        let offset = self.window.offset();
        let first = self.window.byte()?;
        self.number_behind(first)?.ok_or(Fault::Length.at(offset))
    }

    /// `None` when `first` begins a string that is no plain one.
    fn number_behind(&mut self, first: u8) -> Result<Option<u64>, ReadError> {
        Ok(match (first >> 6, first) {
            (0, _) => Some(u64::from(first)),
            (1, _) => Some(u64::from(first & 63) << 8 | u64::from(self.window.byte()?)),
            (_, 0x80) => Some(u64::from(u32::from_be_bytes(self.window.array::<4>()?))),
            (_, 0x81) => Some(u64::from_be_bytes(self.window.array::<8>()?)),
            _ => None,
        })
    }

    /// A string in any encoding.
    pub fn text(&mut self) -> Passed {
        let offset = self.window.offset();
        let first = self.window.byte()?;
        let bytes = match first {
            0xc0 => 1,
            0xc1 => 2,
            0xc2 => 4,
            0xc3 => {
                let packed = self.number()?;
                let bytes = self.number()?;
                self.check_length(bytes.max(packed), offset)?;
                packed
            }
            _ => {
                let bytes = self.number_behind(first)?.ok_or(Fault::Length.at(offset))?;
                self.check_length(bytes, offset)?;
                bytes
            }
        };
        self.window.skip(bytes)
    }

    fn check_length(&self, bytes: u64, offset: u64) -> Passed {
        let limit = self.string_bytes_max;
        if bytes <= limit { Ok(()) } else { Err(Fault::StringTooLong { bytes, limit }.at(offset)) }
    }

    /// As many things as the number in front of them says.
    fn each(&mut self, mut pass: impl FnMut(&mut Self) -> Passed) -> Passed {
        for _ in 0..self.number()? {
            pass(self)?;
        }
        Ok(())
    }

    /// The body of a value.
    pub fn value(&mut self, form: Form) -> Passed {
        use Form as F;
        match form {
            F::String | F::HashZipmap | F::ListZiplist | F::SetIntset => self.text(),
            F::SortedSetZiplist | F::HashZiplist | F::HashListpack => self.text(),
            F::SortedSetListpack | F::SetListpack => self.text(),
            F::HashListpackDeadlinesEarly => self.text(),
            F::HashListpackDeadlines => {
                self.window.skip(8)?;
                self.text()
            }
            F::List | F::Set | F::ListQuicklist => self.each(Self::text),
            F::ListQuicklist2 => self.each(|all| {
                all.number()?;
                all.text()
            }),
            F::SortedSetText => self.each(|all| {
                all.text()?;
                match all.window.byte()? {
                    253..=255 => Ok(()),
                    bytes => all.window.skip(u64::from(bytes)),
                }
            }),
            F::SortedSet => self.each(|all| {
                all.text()?;
                all.window.skip(8)
            }),
            F::Hash => self.each(Self::pair),
            F::HashDeadlinesEarly | F::HashDeadlines => {
                self.window.skip(if form == F::HashDeadlines { 8 } else { 0 })?;
                self.each(|all| {
                    all.number()?;
                    all.pair()
                })
            }
            F::HashDeadlinesValkey => self.each(|all| {
                all.pair()?;
                all.window.skip(8)
            }),
            F::Stream1 | F::Stream2 | F::Stream3 => self.stream(form),
        }
    }

    fn pair(&mut self) -> Passed {
        self.text()?;
        self.text()
    }

    fn numbers(&mut self, count: usize) -> Passed {
        for _ in 0..count {
            self.number()?;
        }
        Ok(())
    }

    fn stream(&mut self, form: Form) -> Passed {
        self.each(Self::pair)?;
        // Entries and last id; then first id, highest deleted id and entries ever added.
        self.numbers(if form == Form::Stream1 { 3 } else { 8 })?;
        self.each(|all| {
            all.text()?;
            all.numbers(if form == Form::Stream1 { 2 } else { 3 })?;
            all.each(|all| {
                all.window.skip(16 + 8)?;
                all.numbers(1)
            })?;
            all.each(|all| {
                all.text()?;
                all.window.skip(if form == Form::Stream3 { 16 } else { 8 })?;
                all.each(|all| all.window.skip(16))
            })
        })
    }
}
