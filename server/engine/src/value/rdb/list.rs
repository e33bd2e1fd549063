//! Lists: a plain listing, one ziplist, or a row of nodes that are ziplists, listpacks or single
//! long elements.

use super::listpack::Listpack;
use super::output::{put_length, put_text};
use super::packed::Packed;
use super::ziplist::Ziplist;
use super::{Decoded, Form, Input, Malformed};

const NODE_PLAIN: u64 = 1;
const NODE_PACKED: u64 = 2;

/// Calls `push` with each element from left to right; there is at least one.
///
/// # Errors
/// [`Malformed`].
pub fn decode_list(form: Form, input: &mut Input<'_>, push: &mut dyn FnMut(&[u8])) -> Decoded<()> {
    let mut pushed = false;
    let mut push = |element: &[u8]| {
        pushed = true;
        push(element);
        Ok(())
    };
    match form {
        Form::List => {
            let mut digits = itoa::Buffer::new();
            for _ in 0..input.length()? {
                push(input.text()?.bytes(&mut digits))?;
            }
        }
        Form::ListZiplist => Ziplist::new(&input.blob()?)?.each(push)?,
        Form::ListQuicklist => {
            for _ in 0..input.length()? {
                Ziplist::new(&input.blob()?)?.each(&mut push)?;
            }
        }
        Form::ListQuicklist2 => {
            for _ in 0..input.length()? {
                match input.length()? {
                    NODE_PACKED => Listpack::new(&input.blob()?)?.each(&mut push)?,
                    NODE_PLAIN => {
                        let element = input.text()?;
                        push(element.bytes(&mut itoa::Buffer::new()))?;
                    }
                    _ => return Err(Malformed),
                }
            }
        }
        _ => return Err(Malformed),
    }
    if pushed { Ok(()) } else { Err(Malformed) }
}

/// Appends a list of `count` elements in [`Form::List`]; returns where elements go, one by one.
pub fn encode_list(count: usize, out: &mut Vec<u8>) -> impl FnMut(&[u8]) + '_ {
    put_length(count as u64, out);
    |element| put_text(element, out)
}
